import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { LogEntry } from "@mixerless/wire/google/logging/v2/log_entry";
import { WriteLogEntriesRequestSchema } from "@mixerless/wire/google/logging/v2/logging";
import type { TimeSeries } from "@mixerless/wire/google/monitoring/v3/metric";
import { CreateTimeSeriesRequestSchema } from "@mixerless/wire/google/monitoring/v3/metric_service";
import type { CloudTransport } from "../cloud/cloud-transport.ts";
import { checkLogEntries } from "./check-log-entries.ts";
import { checkMessage } from "./check-message.ts";
import { checkTimeSeries, seriesKey } from "./check-time-series.ts";

/** An entry with what the request says of all its entries. */
export interface ReceivedEntry {
  readonly entry: LogEntry;
  readonly logName: string;
  /** Type of the resource. */
  readonly resource: string;
  /** The request's labels, and the entry's own over them. */
  readonly labels: Readonly<Record<string, string>>;
}

/** One series of a metric, as it was last told. */
export interface ReceivedSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly series: TimeSeries;
  /** Of a distribution, the number of values. */
  readonly count: number;
}

export interface Answer {
  readonly code: number;
  readonly details: string;
}

const TAKEN: Answer = { code: 0, details: "" };
const INVALID_ARGUMENT = 3;
const UNIMPLEMENTED = 12;
const UNAUTHENTICATED = 16;

/**
 * A fake of Google's monitoring and logging services, for tests. It is no emulation: it checks every message against
 * the published definitions and limits, remembers what it took, and fails when it is told to.
 */
export class FakeCloud {
  readonly #ends = new Map<string, number>();
  /** The latest point of each series. */
  readonly series = new Map<string, TimeSeries>();
  readonly entries: ReceivedEntry[] = [];
  /** What was wrong with messages: those were refused. */
  readonly faults: string[] = [];
  /** Calls that came, and those of them that were refused. */
  readonly calls = { metrics: 0, logs: 0, refused: 0 };
  /** The code that every call is answered with, if not 0. */
  failWith = 0;
  /** Whether a call may show this token; null: none is asked for. */
  accepts: ((token: string) => boolean) | null = null;

  /** `authorization` is the header's value; null for none. */
  answer(path: string, bytes: Uint8Array, authorization: string | null): Answer {
    const answer = this.#judge(path, bytes, authorization);
    if (answer.code !== 0) this.calls.refused++;
    return answer;
  }

  /** The same without a network between. */
  transport(): CloudTransport {
    return {
      call: async (path, message, token) => {
        const { code, details } = this.answer(path, message, token === null ? null : `Bearer ${token}`);
        return { code, message: details };
      },
      close: () => {},
    };
  }

  /** Series of one metric, named without `istio.io/service/`. */
  metric(name: string): ReceivedSeries[] {
    return [...this.series.values()]
      .filter(({ metric }) => metric?.type === `istio.io/service/${name}`)
      .map((series) => ({ labels: series.metric?.labels ?? {}, series, count: countOf(series) }));
  }

  #judge(path: string, bytes: Uint8Array, authorization: string | null): Answer {
    if (this.failWith !== 0) return { code: this.failWith, details: "as the test asked for" };
    const token = /^Bearer (.+)$/.exec(authorization ?? "")?.[1] ?? "";
    if (this.accepts?.(token) === false)
      return { code: UNAUTHENTICATED, details: "the token is missing, or another one" };
    let faults: readonly string[];
    try {
      if (path.endsWith("/CreateTimeSeries")) faults = this.#takeTimeSeries(bytes);
      else if (path.endsWith("/WriteLogEntries")) faults = this.#takeLogEntries(bytes);
      else return { code: UNIMPLEMENTED, details: path };
    } catch (error) {
      faults = [`no message: ${String(error)}`];
    }
    this.faults.push(...faults);
    return faults.length === 0 ? TAKEN : { code: INVALID_ARGUMENT, details: faults.slice(0, 5).join("; ") };
  }

  #takeTimeSeries(bytes: Uint8Array): readonly string[] {
    this.calls.metrics++;
    const { message, faults } = check(CreateTimeSeriesRequestSchema, bytes, (request) =>
      checkTimeSeries(request, this.#ends),
    );
    if (faults.length === 0) for (const series of message.timeSeries) this.series.set(seriesKey(series), series);
    return faults;
  }

  #takeLogEntries(bytes: Uint8Array): readonly string[] {
    this.calls.logs++;
    const { message, faults } = check(WriteLogEntriesRequestSchema, bytes, (request) =>
      checkLogEntries(request, bytes.length),
    );
    if (faults.length > 0) return faults;
    for (const entry of message.entries) {
      this.entries.push({
        ...{ entry, logName: entry.logName || message.logName, resource: message.resource?.type ?? "" },
        labels: { ...message.labels, ...entry.labels },
      });
    }
    return [];
  }
}

/** By the definition first; a message that it refuses is not looked at further. */
function check<Schema extends DescMessage>(
  schema: Schema,
  bytes: Uint8Array,
  rules: (message: MessageShape<Schema>) => readonly string[],
) {
  const { message, faults } = checkMessage(schema, bytes);
  return { message, faults: faults.length > 0 ? faults : rules(message) };
}

function countOf({ points: [point] }: TimeSeries): number {
  const value = point?.value?.value;
  if (value?.case === "int64Value") return Number(value.value);
  return value?.case === "distributionValue" ? Number(value.value.count) : 0;
}
