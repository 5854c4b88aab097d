import { LocalNode, PeerWatch } from "@mixerless/extensions";
import {
  DIRECTION_INBOUND,
  LOG_ERROR,
  LOG_WARN,
  Property,
  RootContext,
  type RootHandle,
  type StreamContext,
  type StreamHandle,
} from "@mixerless/sdk";
import { readCloudSettings } from "../config/endpoints.ts";
import { type NodeFacts, nodeFacts, secondsOf } from "../config/node-facts.ts";
import { type Platform, platformOf } from "../config/platform.ts";
import { readPluginConfig, type StackdriverConfig } from "../config/plugin-config.ts";
import type { CloudExport } from "../export/cloud-export.ts";
import { createExportCounters } from "../export/export-counters.ts";
import type { ExportUse } from "../export/export-use.ts";
import { AccessLog } from "../logs/access-log.ts";
import { sizeOf } from "../logs/entry.ts";
import { ownLabels } from "../logs/log-labels.ts";
import { Attributes } from "./attributes.ts";
import { Measurements } from "./measurements.ts";
import type { Setup } from "./setup.ts";
import { StackdriverStream } from "./stream.ts";
import { fromByteString } from "./text.ts";

const TICK = 10_000;
const PATIENCE = 60_000;

/** Measures and logs what a proxy carries for Google's cloud [telemetry §5]. */
export class StackdriverRoot extends RootContext {
  readonly #use: ExportUse;
  readonly #connections = new Set<StackdriverStream>();
  #setup: Setup | null = null;
  #tick = TICK;
  #acquired = false;

  constructor(host: RootHandle, use: ExportUse) {
    super(host);
    this.#use = use;
  }

  override onConfigure(configuration: string): boolean {
    const read = readPluginConfig(fromByteString(configuration));
    if (read.faults !== undefined) {
      for (const fault of read.faults) this.log(LOG_ERROR, `stackdriver: ${fault}`);
      return false;
    }
    const warn = (message: string) => this.log(LOG_WARN, `stackdriver: ${message}`);
    for (const warning of read.config.warnings) warn(warning);
    const node = nodeFacts(this);
    const settings = readCloudSettings(node, warn);
    const platform = platformOf(node);
    this.#tick = secondsOf(node, "STACKDRIVER_PROXY_TICKER_INTERVAL_SECS", TICK, warn);
    // What the node lacks is not the fault of the configuration: traffic goes on without an export.
    if (Array.isArray(settings)) for (const fault of settings) warn(`nothing is exported: ${fault}`);
    else if (platform.project === "")
      warn("nothing is exported: the node's PLATFORM_METADATA has no gcp_project, which says whose the numbers are");
    else {
      if (!this.#use.withMetrics) warn("metrics are not exported by a proxy of several processes; log entries are");
      const cloud = this.#use.acquire({
        ...{ project: platform.project, settings, warn },
        counters: createExportCounters(this),
      });
      this.#acquired = true;
      this.#setup = this.#createSetup(read.config, node, platform, cloud);
    }
    return true;
  }

  override createStream(host: StreamHandle): StreamContext {
    return new StackdriverStream(host, this, this.#setup);
  }

  override onTick(): void {
    for (const connection of this.#connections) connection.report();
  }

  /** No stream is left and none will come. */
  onClose(): void {
    if (this.#acquired) this.#use.release();
    this.#acquired = false;
  }

  watch(connection: StackdriverStream): void {
    this.#connections.add(connection);
    if (this.#connections.size === 1) this.setTickPeriod(this.#tick);
  }

  unwatch(connection: StackdriverStream): void {
    if (this.#connections.delete(connection) && this.#connections.size === 0) this.setTickPeriod(0);
  }

  #createSetup(config: StackdriverConfig, node: NodeFacts, platform: Platform, cloud: CloudExport): Setup {
    const isServer = this.getNumber(new Property(["xds", "listener_direction"]), 0) === DIRECTION_INBOUND;
    const attributes = new Attributes(isServer);
    const { project, meshUid } = platform;
    const queue = cloud.log({
      identity: {
        project,
        name: isServer ? "server-accesslog-stackdriver" : "client-accesslog-stackdriver",
        resource: isServer ? platform.serverLogs : platform.clientLogs,
        labels: ownLabels(node, isServer, meshUid),
      },
      ...{ batchBytes: config.batchBytes, interval: config.logInterval, compression: config.compression },
    });
    return {
      attributes,
      peers: new PeerWatch(!isServer),
      measurements: new Measurements({
        ...{ root: this, clock: this.#use.clock, isServer, attributes, config, meshUid, cloud },
        enabled: this.#use.withMetrics,
        node: new LocalNode(this),
        owner: node("OWNER"),
        resource: isServer ? platform.serverMetrics : platform.clientMetrics,
      }),
      log: new AccessLog({
        ...{ root: this, attributes, config, isServer, project, nextId: () => this.#use.nextId() },
        write: (line) => queue.offer(line, sizeOf(line)),
      }),
      patience: secondsOf(node, "STACKDRIVER_TCP_LOG_ENTRY_TIMEOUT_SECS", PATIENCE, () => {}),
    };
  }
}
