import { Property, StreamContext } from "@mixerless/sdk";
import { REQUEST_MESSAGES, RESPONSE_MESSAGES } from "./metrics.ts";
import { PeerWatch } from "./peer-watch.ts";
import { Reporter } from "./report-wheel.ts";
import { SeriesSet } from "./series.ts";
import { MESSAGES, SeriesTable } from "./series-table.ts";

const STATS_OBJECT: string = "envoy.filters.http.grpc_stats";

/** The counts that the gRPC statistics filter keeps in filter state: as two fields, or printed as `requests,responses`. */
export class MessageCounts {
  private readonly requests: Property = new Property(["filter_state", STATS_OBJECT, "request_message_count"]);
  private readonly responses: Property = new Property(["filter_state", STATS_OBJECT, "response_message_count"]);
  private readonly printed: Property = new Property(["filter_state", STATS_OBJECT]);

  /** −1: nobody counts. */
  requestsOf(stream: StreamContext): f64 {
    const count: f64 = stream.getNumber(this.requests, -1);
    return count >= 0 ? count : this.part(stream, 0);
  }

  /** −1: nobody counts. */
  responsesOf(stream: StreamContext): f64 {
    const count: f64 = stream.getNumber(this.responses, -1);
    return count >= 0 ? count : this.part(stream, 1);
  }

  private part(stream: StreamContext, index: i32): f64 {
    const text = stream.getString(this.printed);
    if (text === null) return -1;
    const parts = text.split(",");
    return parts.length === 2 ? wholeNumber(parts[index]!, -1) : -1;
  }
}

/** Counts the messages of one gRPC stream: at intervals once its peer is known, and at its end. */
export class MessageReporter extends Reporter {
  private readonly stream: StreamContext;
  private readonly table: SeriesTable;
  private readonly peers: PeerWatch;
  private readonly counts: MessageCounts;
  private series: SeriesSet | null = null;
  private requests: f64 = 0;
  private responses: f64 = 0;

  constructor(stream: StreamContext, table: SeriesTable, peers: PeerWatch, counts: MessageCounts) {
    super();
    this.stream = stream;
    this.table = table;
    this.peers = peers;
    this.counts = counts;
  }

  override report(): void {
    this.stream.activate();
    if (!this.peers.isSettled(this.stream)) return;
    const known = this.series;
    const series = known !== null ? known : this.table.find(this.stream, MESSAGES);
    this.series = series;
    this.count(series);
  }

  /** `final`: the series of the stream's end, for a stream that never reported before. */
  finish(final: SeriesSet): void {
    const series = this.series;
    this.count(series !== null ? series : final);
  }

  /** A difference of 0 is added too: upstream shows the series from the first report on. */
  private count(series: SeriesSet): void {
    const requests: f64 = this.counts.requestsOf(this.stream);
    const responses: f64 = this.counts.responsesOf(this.stream);
    if (requests < 0 || responses < 0) return;
    series.add(REQUEST_MESSAGES, requests - this.requests);
    series.add(RESPONSE_MESSAGES, responses - this.responses);
    this.requests = requests;
    this.responses = responses;
  }
}

/** Digits only, at most 15; the fallback for anything else. */
export function wholeNumber(text: string, fallback: f64): f64 {
  if (text.length === 0 || text.length > 15) return fallback;
  let value: f64 = 0;
  for (let i: i32 = 0; i < text.length; i++) {
    const digit: i32 = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return fallback;
    value = value * 10 + (digit as f64);
  }
  return value;
}
