import type { Clock } from "@mixerless/clock";
import { Backoff, BatchQueue } from "@mixerless/queue";
import { CloudCaller } from "../cloud/cloud-caller.ts";
import type { CloudTransport } from "../cloud/cloud-transport.ts";
import type { CloudSettings, Endpoint } from "../config/endpoints.ts";
import type { TokenSource } from "../credentials/token-source.ts";
import type { LogLine } from "../logs/entry.ts";
import type { LogIdentity } from "../logs/log-identity.ts";
import { MetricExporter } from "../metrics/metric-exporter.ts";
import { SeriesRegistry } from "../metrics/series-registry.ts";
import type { ExportCounters } from "./export-counters.ts";

/** Makes the connection to an endpoint. */
export type Connect = (endpoint: Endpoint, settings: CloudSettings, compression: boolean) => CloudTransport;

export interface CloudExportParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly project: string;
  readonly settings: CloudSettings;
  readonly tokens: TokenSource | null;
  readonly counters: ExportCounters;
  readonly connect: Connect;
  readonly warn: (message: string) => void;
  /** Whether metrics leave this process. */
  readonly withMetrics: boolean;
}

/** How the entries of a log are collected. */
export interface LogSettings {
  readonly identity: LogIdentity;
  readonly batchBytes: number;
  readonly interval: number;
  readonly compression: boolean;
}

const CREATE_TIME_SERIES = "/google.monitoring.v3.MetricService/CreateTimeSeries";
const WRITE_LOG_ENTRIES = "/google.logging.v2.LoggingServiceV2/WriteLogEntries";
/** Batches of entries that may wait. */
const BATCHES = 2;
const MOST_ENTRIES = 1000;
/** Google takes a point of a series every ten seconds. */
const METRIC_BACKOFF = { first: 10_000, most: 60_000 };
const LOG_BACKOFF = { first: 1000, most: 60_000 };

/** What leaves one proxy: one export, whatever the number of filters that feed it. */
export class CloudExport {
  readonly #parts: CloudExportParts;
  readonly registry: SeriesRegistry;
  readonly #metrics: MetricExporter | null;
  readonly #logs = new Map<string, BatchQueue<LogLine>>();
  readonly #transports = new Map<string, CloudTransport>();

  constructor(parts: CloudExportParts) {
    const { clock, random, project, settings, counters, withMetrics } = parts;
    this.#parts = parts;
    this.registry = new SeriesRegistry(clock);
    const caller = this.#caller("metric", settings.metrics, CREATE_TIME_SERIES, false);
    this.#metrics = withMetrics
      ? new MetricExporter({
          ...{ clock, registry: this.registry, report: counters.series },
          interval: settings.metricsInterval,
          backoff: new Backoff({ ...METRIC_BACKOFF, random }),
          send: async (series) => {
            const { encodeTimeSeries } = await import("../cloud/messages.ts");
            return caller.call(encodeTimeSeries(project, series, clock.now()));
          },
        })
      : null;
  }

  get counters(): ExportCounters {
    return this.#parts.counters;
  }

  /** The queue of a log; those who write the same log in the same way share one. */
  log({ identity, batchBytes, interval, compression }: LogSettings): BatchQueue<LogLine> {
    const key = `${identity.name} ${batchBytes} ${interval} ${compression}`;
    const known = this.#logs.get(key);
    if (known !== undefined) return known;
    const { clock, random, settings, counters } = this.#parts;
    const caller = this.#caller("logging", settings.logs, WRITE_LOG_ENTRIES, compression);
    const queue = new BatchQueue<LogLine>({
      ...{ clock, batchBytes, interval, report: counters.entries, capacity: BATCHES * batchBytes },
      batchItems: MOST_ENTRIES,
      backoff: new Backoff({ ...LOG_BACKOFF, random }),
      send: async (batch) => {
        const { encodeLogEntries } = await import("../cloud/messages.ts");
        return caller.call(encodeLogEntries(identity, batch));
      },
    });
    this.#logs.set(key, queue);
    return queue;
  }

  /** Sends what there is, giving it `limit` milliseconds. */
  async close(limit: number): Promise<void> {
    await Promise.all([this.#metrics?.close(limit), ...[...this.#logs.values()].map((queue) => queue.close(limit))]);
    for (const transport of this.#transports.values()) transport.close();
  }

  #caller(type: "metric" | "logging", endpoint: Endpoint, path: string, compression: boolean): CloudCaller {
    const { clock, tokens, counters, warn } = this.#parts;
    const onCall = (success: boolean) => counters.call(type, success);
    const what = type === "metric" ? "metrics" : "log entries";
    return new CloudCaller({
      ...{ clock, tokens, what, path, warn, onCall },
      transport: this.#transport(endpoint, compression),
    });
  }

  #transport(endpoint: Endpoint, compression: boolean): CloudTransport {
    const key = `${endpoint.address} ${endpoint.secure} ${compression}`;
    const known = this.#transports.get(key);
    if (known !== undefined) return known;
    const made = this.#parts.connect(endpoint, this.#parts.settings, compression);
    this.#transports.set(key, made);
    return made;
  }
}
