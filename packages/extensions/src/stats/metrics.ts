import { carries, HTTP_LABELS, LABELS, MESSAGE_LABELS, TCP_LABELS } from "./labels.ts";

/** Types of metrics. */
export const COUNTER: i32 = 0;
export const GAUGE: i32 = 1;
export const HISTOGRAM: i32 = 2;

/** Indices of the standard metrics in the list of {@link standardMetrics}; custom ones follow. */
export const REQUESTS_TOTAL: i32 = 0;
export const REQUEST_DURATION: i32 = 1;
export const REQUEST_BYTES: i32 = 2;
export const RESPONSE_BYTES: i32 = 3;
export const REQUEST_MESSAGES: i32 = 4;
export const RESPONSE_MESSAGES: i32 = 5;
export const TCP_SENT: i32 = 6;
export const TCP_RECEIVED: i32 = 7;
export const TCP_OPENED: i32 = 8;
export const TCP_CLOSED: i32 = 9;
export const FIRST_CUSTOM: i32 = 10;

/** Marks a label that the metric would carry and that configuration took away. */
export const REMOVED: i32 = -1;
/** Marks a standard label that the metric never carries. */
const NOT_CARRIED: i32 = -2;
/** The label set of a custom metric: no standard label. */
const NO_LABELS: i32 = -1;

/**
 * One metric and its labels. A source says where the value of a label comes from: an index into the values of a series,
 * which are the standard values in the order of `LABELS`, followed by those of the dimensions.
 */
export class Metric {
  /** With the prefix `istio_`. */
  readonly name: string;
  readonly type: i32;
  dropped: boolean = false;
  private readonly custom: boolean;
  private readonly standard: i32[] = [];
  private readonly addedLabels: string[] = [];
  private readonly addedSources: i32[] = [];

  constructor(name: string, type: i32, labelSet: i32) {
    this.name = `istio_${name}`;
    this.type = type;
    this.custom = labelSet === NO_LABELS;
    for (let i: i32 = 0; i < LABELS.length; i++) {
      this.standard.push(labelSet !== NO_LABELS && carries(labelSet, i) ? i : NOT_CARRIED);
    }
  }

  /** Removes a standard label; others stay. A later {@link set} brings it back to its place. */
  remove(label: string): void {
    const at: i32 = LABELS.indexOf(label);
    if (at >= 0 && this.standard[at]! !== NOT_CARRIED) this.standard[at] = REMOVED;
  }

  /**
   * Gives a label a source. A label of the standard ones that this metric does not carry is ignored; other new labels
   * are appended. A label that was appended before changes its source: upstream appends it twice, and a scraper then
   * refuses the whole page.
   */
  set(label: string, source: i32): void {
    const at: i32 = LABELS.indexOf(label);
    if (at >= 0 && !this.custom) {
      if (this.standard[at]! !== NOT_CARRIED) this.standard[at] = source;
      return;
    }
    const added: i32 = this.addedLabels.indexOf(label);
    if (added >= 0) {
      this.addedSources[added] = source;
      return;
    }
    this.addedLabels.push(label);
    this.addedSources.push(source);
  }

  labels(): string[] {
    const labels: string[] = [];
    for (let i: i32 = 0; i < LABELS.length; i++) {
      if (this.standard[i]! >= 0) labels.push(LABELS[i]!);
    }
    return labels.concat(this.addedLabels);
  }

  /** The values of {@link labels}, chosen from the values of a series. */
  values(series: string[]): string[] {
    const values: string[] = [];
    for (let i: i32 = 0; i < LABELS.length; i++) {
      const source: i32 = this.standard[i]!;
      if (source >= 0) values.push(series[source]!);
    }
    for (let i: i32 = 0; i < this.addedSources.length; i++) values.push(series[this.addedSources[i]!]!);
    return values;
  }
}

/** The standard metrics, in the order of the indices above. */
export function standardMetrics(): Metric[] {
  return [
    new Metric("requests_total", COUNTER, HTTP_LABELS),
    new Metric("request_duration_milliseconds", HISTOGRAM, HTTP_LABELS),
    new Metric("request_bytes", HISTOGRAM, HTTP_LABELS),
    new Metric("response_bytes", HISTOGRAM, HTTP_LABELS),
    new Metric("request_messages_total", COUNTER, MESSAGE_LABELS),
    new Metric("response_messages_total", COUNTER, MESSAGE_LABELS),
    new Metric("tcp_sent_bytes_total", COUNTER, TCP_LABELS),
    new Metric("tcp_received_bytes_total", COUNTER, TCP_LABELS),
    new Metric("tcp_connections_opened_total", COUNTER, TCP_LABELS),
    new Metric("tcp_connections_closed_total", COUNTER, TCP_LABELS),
  ];
}

/** A metric of the configuration's `definitions`. It has only the labels that it is given. */
export function customMetric(name: string, type: i32): Metric {
  return new Metric(name, type, NO_LABELS);
}

/** The metric with this name, written without the prefix, or null. */
export function findMetric(metrics: Metric[], name: string): Metric | null {
  for (let i: i32 = 0; i < metrics.length; i++) {
    if (metrics[i]!.name === `istio_${name}`) return metrics[i]!;
  }
  return null;
}
