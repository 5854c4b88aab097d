import { type Counter, type Gauge, type Histogram, type MetricStore, sanitizeMetricName } from "@mixerless/metrics";
import { MetricKind } from "../hostcalls/status.ts";

/** One of the bootstrap's `stats_tags`: group 1 is cut out of the name, group 2 is the value of the label. */
export interface TagExtractor {
  readonly label: string;
  readonly pattern: RegExp;
}

/** A metric that a plugin has defined. Values come as the ABI has them, in doubles. */
export interface PluginMetric {
  readonly kind: number;
  add(n: number): void;
  /** Counters add it, gauges take it, histograms record it [proxy-wasm §8.10]. */
  record(n: number): void;
  readonly value: number;
}

export interface MetricName {
  readonly name: string;
  readonly labels: readonly string[];
  readonly values: readonly string[];
}

const SEPARATOR = ";.;";
const ASSIGNMENT = "=.=";

/**
 * Splits what a plugin calls its metric into name and labels: first by the convention `LABEL=.=value;.;…NAME`, then by
 * the bootstrap's patterns, as Envoy does [proxy-wasm §16].
 */
export function splitMetricName(full: string, extractors: readonly TagExtractor[]): MetricName {
  const labels: string[] = [];
  const values: string[] = [];
  let name = full;
  for (let end = name.indexOf(SEPARATOR); end >= 0; end = name.indexOf(SEPARATOR)) {
    const middle = name.indexOf(ASSIGNMENT);
    if (middle <= 0 || middle > end) break;
    labels.push(name.slice(0, middle));
    values.push(name.slice(middle + ASSIGNMENT.length, end));
    name = name.slice(end + SEPARATOR.length);
  }
  for (const { label, pattern } of extractors) {
    const found = pattern.exec(name);
    const cut = found?.[1];
    if (found === null || cut === undefined) continue;
    labels.push(label);
    values.push(found[2] ?? "");
    const at = found.index + found[0].indexOf(cut);
    name = name.slice(0, at) + name.slice(at + cut.length);
  }
  return { name, labels, values };
}

/** Where the metrics of plugins are kept. */
export interface MetricTable {
  /** The series of a name; one that nobody sees where there can't be one, with the reason in `problem`. */
  define(kind: number, full: string): { readonly metric: PluginMetric; readonly problem: string | null };
}

/** The metrics of all plugins: a name means the same series, whoever defines it. */
export class PluginMetrics implements MetricTable {
  readonly #store: MetricStore;
  readonly #extractors: readonly TagExtractor[];

  constructor(store: MetricStore, extractors: readonly TagExtractor[] = []) {
    this.#store = store;
    this.#extractors = extractors;
  }

  /** The series of a name; one that nobody sees where the store can't have it, with the reason in `problem`. */
  define(kind: number, full: string): { readonly metric: PluginMetric; readonly problem: string | null } {
    const { name, labels, values } = splitMetricName(full, this.#extractors);
    const clean = name.replace(/[^a-zA-Z0-9_]/g, "_");
    if (clean.length === 0 || /^\d/.test(clean)) return { metric: new HiddenMetric(kind), problem: null };
    try {
      return { metric: this.#series(kind, sanitizeMetricName(clean), labels, values), problem: null };
    } catch (error) {
      return { metric: new HiddenMetric(kind), problem: error instanceof Error ? error.message : String(error) };
    }
  }

  #series(kind: number, name: string, labels: readonly string[], values: readonly string[]): PluginMetric {
    if (kind === MetricKind.Counter) return new CounterMetric(this.#store.counter({ name }).series(labels, values));
    if (kind === MetricKind.Gauge) return new GaugeMetric(this.#store.gauge({ name }).series(labels, values));
    return new HistogramMetric(this.#store.histogram({ name }).series(labels, values));
  }
}

class CounterMetric implements PluginMetric {
  readonly kind = MetricKind.Counter;
  readonly #series: Counter;

  constructor(series: Counter) {
    this.#series = series;
  }

  add(n: number): void {
    this.#series.add(n);
  }

  record(n: number): void {
    this.#series.add(n);
  }

  get value(): number {
    return this.#series.value;
  }
}

class GaugeMetric implements PluginMetric {
  readonly kind = MetricKind.Gauge;
  readonly #series: Gauge;

  constructor(series: Gauge) {
    this.#series = series;
  }

  add(n: number): void {
    this.#series.add(n);
  }

  record(n: number): void {
    this.#series.set(n);
  }

  get value(): number {
    return this.#series.value;
  }
}

class HistogramMetric implements PluginMetric {
  readonly kind = MetricKind.Histogram;
  readonly #series: Histogram;

  constructor(series: Histogram) {
    this.#series = series;
  }

  add(): void {}

  record(n: number): void {
    this.#series.record(n);
  }

  get value(): number {
    return 0;
  }
}

/** Works like a metric, but nobody sees it. */
export class HiddenMetric implements PluginMetric {
  readonly kind: number;
  value = 0;

  constructor(kind: number) {
    this.kind = kind;
  }

  add(n: number): void {
    this.value += n;
  }

  record(n: number): void {
    this.value = this.kind === MetricKind.Counter ? this.value + n : n;
  }
}
