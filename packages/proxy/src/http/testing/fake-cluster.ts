import { socketAddress } from "../../transport/socket-address.ts";
import type { ConnectionInfo } from "../../transport/transport.ts";
import type {
  Cancellable,
  Cluster,
  ClusterManager,
  HttpPoolCallbacks,
  LoadBalancerContext,
  PoolFailure,
  TcpPoolCallbacks,
} from "../../upstream/cluster.ts";
import type { Host } from "../../upstream/host.ts";
import type { RequestEncoder, ResetReason, ResponseDecoder } from "../codec.ts";
import type { HeaderMap } from "../header-map.ts";
import { type Fields, fieldsOf, headersOf } from "./fake-server-codec.ts";

export function fakeHost(ip = "10.1.0.5", metadata: Record<string, unknown> = {}): Host {
  return {
    address: socketAddress(ip, 9080),
    hostname: "reviews-v1.example",
    weight: 1,
    priority: 0,
    locality: { region: "", zone: "", subZone: "" },
    metadata,
    healthy: true,
    activeRequests: 0,
  };
}

/** An attempt at a fake cluster: what it received, and what the test answers. */
export class FakeUpstream implements RequestEncoder, Cancellable {
  readonly decoder: ResponseDecoder;
  readonly callbacks: HttpPoolCallbacks;
  readonly context: LoadBalancerContext;
  readonly protocol = "HTTP/1.1";
  readonly connection: ConnectionInfo;
  cancelled = false;
  congested = false;
  wireBytesReceived = 0;
  wireBytesSent = 0;
  head: Record<string, string> | null = null;
  body = "";
  trailers: Record<string, string> | null = null;
  complete = false;
  resetReason: ResetReason | null = null;
  paused = 0;

  constructor(context: LoadBalancerContext, decoder: ResponseDecoder, callbacks: HttpPoolCallbacks) {
    this.context = context;
    this.decoder = decoder;
    this.callbacks = callbacks;
    this.connection = {
      id: 99,
      localAddress: socketAddress("127.0.10.1", 50000),
      remoteAddress: socketAddress("10.1.0.5", 9080),
      tls: null,
      requestedServerName: null,
    };
  }

  ready(host: Host = fakeHost()): this {
    this.callbacks.onReady(this, host);
    return this;
  }
  fail(reason: PoolFailure, details = "", host: Host | null = fakeHost()): void {
    this.callbacks.onFailure(reason, host, details);
  }
  respond(status: number, fields: Fields = {}, body = ""): this {
    this.decoder.onHeaders(headersOf({ ":status": String(status), ...fields }), body === "");
    if (body !== "") this.data(body, true);
    return this;
  }
  begin(status: number, fields: Fields = {}): this {
    this.decoder.onHeaders(headersOf({ ":status": String(status), ...fields }), false);
    return this;
  }
  data(text: string, endStream = false): this {
    const bytes = Buffer.from(text, "latin1");
    this.decoder.onData(bytes, 0, bytes.length, endStream);
    return this;
  }
  reset(reason: ResetReason): void {
    if (this.resetReason !== null) throw new Error("reset twice");
    this.resetReason = reason;
  }
  cancel(): void {
    this.cancelled = true;
  }
  sendHeaders(headers: HeaderMap, endStream: boolean): void {
    if (this.head !== null) throw new Error("headers were sent twice");
    this.head = fieldsOf(headers);
    this.complete = endStream;
  }
  sendData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    if (this.head === null || this.complete) throw new Error("data without headers, or after the end");
    this.body += buffer.toString("latin1", start, end);
    this.complete = endStream;
  }
  sendTrailers(trailers: HeaderMap): void {
    this.trailers = fieldsOf(trailers);
    this.complete = true;
  }
  pauseReading(): void {
    this.paused++;
  }
  resumeReading(): void {
    this.paused--;
  }
}

/** A cluster whose streams wait for the test, or are ready at once. */
export class FakeCluster implements Cluster {
  readonly name: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly attempts: FakeUpstream[] = [];
  readonly tcp: { context: LoadBalancerContext; callbacks: TcpPoolCallbacks; cancelled: boolean }[] = [];
  readonly outcomes: [status: number, localFailure: boolean][] = [];
  /** What each attempt meets at once; "wait" leaves it to the test. */
  mode: "ready" | "wait" | PoolFailure = "ready";
  maxStreamDuration = 0;
  retriesAllowed = 100;
  retriesOpen = 0;
  retriesOfHighPriority = 0;

  constructor(name: string, metadata: Readonly<Record<string, unknown>> = {}) {
    this.name = name;
    this.metadata = metadata;
  }

  get last(): FakeUpstream {
    const last = this.attempts.at(-1);
    if (last === undefined) throw new Error(`cluster ${this.name} saw no attempt`);
    return last;
  }

  newStream(context: LoadBalancerContext, decoder: ResponseDecoder, callbacks: HttpPoolCallbacks): Cancellable | null {
    const attempt = new FakeUpstream(context, decoder, callbacks);
    this.attempts.push(attempt);
    if (this.mode === "wait") return attempt;
    if (this.mode === "ready") attempt.ready();
    else attempt.fail(this.mode, "", this.mode === "no-healthy-upstream" ? null : fakeHost());
    return null;
  }

  newConnection(context: LoadBalancerContext, callbacks: TcpPoolCallbacks): Cancellable | null {
    const attempt = { context, callbacks, cancelled: false };
    this.tcp.push(attempt);
    return {
      cancel: () => {
        attempt.cancelled = true;
      },
    };
  }

  admitStream(): PoolFailure {
    return "no-healthy-upstream";
  }

  reportOutcome(_host: Host, status: number, localFailure: boolean): void {
    this.outcomes.push([status, localFailure]);
  }

  admitRetry(highPriority: boolean): { done(): void } | null {
    if (highPriority) this.retriesOfHighPriority++;
    if (this.retriesOpen >= this.retriesAllowed) return null;
    this.retriesOpen++;
    return {
      done: () => {
        this.retriesOpen--;
      },
    };
  }
}

export class FakeClusters implements ClusterManager {
  readonly #clusters = new Map<string, FakeCluster>();

  add(name: string, metadata: Readonly<Record<string, unknown>> = {}): FakeCluster {
    const cluster = new FakeCluster(name, metadata);
    this.#clusters.set(name, cluster);
    return cluster;
  }

  get(name: string): Cluster | null {
    return this.#clusters.get(name) ?? null;
  }
}
