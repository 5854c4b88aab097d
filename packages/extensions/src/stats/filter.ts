import {
  CONTINUE,
  DIRECTION_INBOUND,
  HeaderName,
  Property,
  REQUEST_HEADERS,
  RootContext,
  RootHandle,
  StreamContext,
  StreamHandle,
} from "@mixerless/sdk";
import { listenerDirection, streamDirection } from "../configuration.ts";
import { readStatsConfig, StatsConfig } from "./config.ts";
import { ByteCounts, ConnectionReporter } from "./connection-reporter.ts";
import { CustomValues } from "./custom-values.ts";
import { DESTINATION, SOURCE, WAYPOINT } from "./derive.ts";
import { MessageCounts, MessageReporter } from "./message-reporter.ts";
import { REQUEST_BYTES, REQUEST_DURATION, REQUESTS_TOTAL, RESPONSE_BYTES } from "./metrics.ts";
import { PeerWatch } from "./peer-watch.ts";
import { createPlan } from "./plan.ts";
import { Reporter, ReportWheel } from "./report-wheel.ts";
import { GRPC, HTTP, SeriesTable } from "./series-table.ts";
import { nodeText } from "./side.ts";

const GRPC_TYPE: string = "application/grpc";
const NANOSECONDS_PER_MILLISECOND: f64 = 1000000;

/** Everything that one configuration of the statistics filter needs per stream. */
class Setup {
  readonly table: SeriesTable;
  readonly peers: PeerWatch;
  readonly custom: CustomValues;
  readonly reportingInterval: i32;

  constructor(root: RootContext, config: StatsConfig, reporter: i32) {
    const plan = createPlan(root, config);
    this.table = new SeriesTable(root, plan, reporter, !config.disableHostHeaderFallback);
    this.peers = new PeerWatch(reporter === SOURCE);
    this.custom = new CustomValues(plan);
    this.reportingInterval = config.reportingInterval;
  }
}

/** Measures HTTP and gRPC streams and TCP connections as Istio's standard metrics. */
export class StatsRoot extends RootContext {
  readonly contentType: HeaderName = new HeaderName("content-type");
  readonly path: HeaderName = new HeaderName(":path");
  readonly duration: Property = new Property(["request", "duration"]);
  readonly bytes: ByteCounts = new ByteCounts();
  readonly messages: MessageCounts = new MessageCounts();
  private setup: Setup | null = null;
  /** A configuration that waits for a stream to tell the direction. */
  private undirected: StatsConfig | null = null;
  private readonly wheel: ReportWheel = new ReportWheel();
  private ticking: boolean = false;

  override onConfigure(configuration: string): boolean {
    const config = readStatsConfig(this, configuration);
    if (config === null) return false;
    const direction: i32 = listenerDirection(this);
    if (config.waypoint || direction >= 0) this.setup = this.prepare(config, direction);
    else this.undirected = config;
    const version = nodeText(this, ["ISTIO_VERSION"]);
    const build = this.gauge("istio_build", ["component", "tag"], ["proxy", version.length > 0 ? version : "unknown"]);
    build.set(1);
    return true;
  }

  override createStream(host: StreamHandle): StreamContext {
    const stream = new StatsStream(host, this);
    const config = this.undirected;
    if (config !== null) {
      this.undirected = null;
      this.setup = this.prepare(config, streamDirection(stream));
    }
    stream.setup = this.setup;
    return stream;
  }

  private prepare(config: StatsConfig, direction: i32): Setup {
    const reporter: i32 = config.waypoint ? WAYPOINT : direction === DIRECTION_INBOUND ? DESTINATION : SOURCE;
    return new Setup(this, config, reporter);
  }

  override onTick(): void {
    this.wheel.tick();
    if (!this.wheel.isEmpty) return;
    this.ticking = false;
    this.setTickPeriod(0);
  }

  /** Lets `reporter` report at the interval, if there is one. */
  watch(reporter: Reporter, interval: i32): void {
    if (interval <= 0) return;
    this.wheel.add(reporter);
    if (this.ticking) return;
    this.ticking = true;
    const period: i32 = (interval / this.wheel.turn) | 0;
    this.setTickPeriod(period > 0 ? period : 1);
  }

  unwatch(reporter: Reporter): void {
    this.wheel.remove(reporter);
  }
}

class StatsStream extends StreamContext {
  private readonly root: StatsRoot;
  /** Null: the configuration was refused, nothing is measured. */
  setup: Setup | null = null;
  private messages: MessageReporter | null = null;
  private connection: ConnectionReporter | null = null;
  private headersSeen: boolean = false;

  constructor(host: StreamHandle, root: StatsRoot) {
    super(host);
    this.root = root;
  }

  override onNewConnection(): i32 {
    const setup = this.setup;
    if (setup === null) return CONTINUE;
    const connection = new ConnectionReporter(this, setup.table, setup.peers, this.root.bytes);
    this.connection = connection;
    this.root.watch(connection, setup.reportingInterval);
    return CONTINUE;
  }

  override onRequestHeaders(_count: i32, _end: boolean): i32 {
    const setup = this.setup;
    this.headersSeen = true;
    if (setup === null || !this.isGrpc()) return CONTINUE;
    const messages = new MessageReporter(this, setup.table, setup.peers, this.root.messages);
    this.messages = messages;
    this.root.watch(messages, setup.reportingInterval);
    return CONTINUE;
  }

  override onLog(): void {
    const setup = this.setup;
    if (setup === null) return;
    const connection = this.connection;
    if (connection !== null) connection.close(setup.custom);
    else this.logRequest(setup);
    this.stopReports();
  }

  override onDelete(): void {
    this.stopReports();
  }

  private logRequest(setup: Setup): void {
    // A request that was answered before it came here was not looked at yet.
    if (!this.headersSeen) this.onRequestHeaders(0, true);
    const messages = this.messages;
    const series = setup.table.find(this, messages !== null ? GRPC : HTTP);
    if (messages !== null) messages.finish(series);
    series.add(REQUESTS_TOTAL, 1);
    const duration: f64 = this.getNumber(this.root.duration, -1);
    if (duration >= 0) series.record(REQUEST_DURATION, Math.floor(duration / NANOSECONDS_PER_MILLISECOND));
    series.record(REQUEST_BYTES, this.getNumber(this.root.bytes.received, 0));
    series.record(RESPONSE_BYTES, this.getNumber(this.root.bytes.sent, 0));
    setup.custom.give(this, series);
  }

  private stopReports(): void {
    const messages = this.messages;
    if (messages !== null) this.root.unwatch(messages);
    const connection = this.connection;
    if (connection !== null) this.root.unwatch(connection);
  }

  private isGrpc(): boolean {
    if (this.headerSize(REQUEST_HEADERS, this.root.contentType) < GRPC_TYPE.length) return false;
    const type = this.getHeader(REQUEST_HEADERS, this.root.contentType);
    if (type === null || !type.startsWith(GRPC_TYPE)) return false;
    if (type.length > GRPC_TYPE.length && type.charAt(GRPC_TYPE.length) !== "+") return false;
    return this.headerSize(REQUEST_HEADERS, this.root.path) > 0;
  }
}

/** The statistics extension. */
export function createRoot(host: RootHandle): RootContext {
  return new StatsRoot(host);
}
