export type MetricType = "counter" | "gauge" | "histogram";

export interface MetricDefinition {
  /** The full name, also with `_total` where it has that. */
  readonly name: string;
  /** Text of the HELP line; without it no such line is printed. */
  readonly help?: string;
  /** Base unit in the plural ("bytes"); shown by the OpenMetrics view if the name ends in it. */
  readonly unit?: string;
  /** False for series that must stay without updates, such as `istio_build`. Default true. */
  readonly evictable?: boolean;
}

export interface HistogramDefinition extends MetricDefinition {
  /** Finite upper bounds, ascending, inclusive. Default: the 19 of telemetry.md §1.9. */
  readonly buckets?: readonly number[];
}

/**
 * A handle may be kept for ever. Should its series have expired meanwhile, the next update registers
 * it again, from 0. An update with a value that makes no sense (negative, NaN, infinite) is not
 * taken but counted in `mixerless_values_refused_total{metric}`.
 */
export interface Counter {
  add(n: number): void;
  readonly value: number;
}

/**
 * As {@link Counter}. A gauge last moved by `add` holds a balance that somebody will take back, so it
 * does not expire while it isn't 0.
 */
export interface Gauge {
  set(n: number): void;
  add(n: number): void;
  readonly value: number;
}

/** As {@link Counter}; negative values are allowed. */
export interface Histogram {
  record(v: number): void;
  readonly count: number;
  readonly sum: number;
}

/** One histogram at one instant. */
export interface HistogramView {
  /** Finite upper bounds. */
  readonly bounds: readonly number[];
  /** Observations per bucket, not cumulative; one more than there are bounds, the last is +Inf. */
  readonly counts: readonly number[];
  readonly sum: number;
  readonly count: number;
}

/** One series at one instant. */
export interface SeriesView {
  /** Names and values as text, in the order in which they are printed. */
  readonly labels: readonly (readonly [name: string, value: string])[];
  /** Value of a counter or gauge; of a histogram the number of observations. */
  readonly value: number;
  readonly histogram: HistogramView | null;
  /** False until the first update. */
  readonly used: boolean;
  /** Wall-clock milliseconds, precise to about a second, at which the series began at 0. */
  readonly startTime: number;
}

/** A metric to be read. */
export interface FamilyView {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  readonly unit: string;
  /** Live series, the overflow series not counted. */
  readonly size: number;
  /** Live series, the overflow series among them, in no particular order. */
  entries(): Iterable<SeriesView>;
}

/** A metric: all series of one name. Series with different label names live side by side. */
export interface Family<H> extends FamilyView {
  /**
   * The handle of the series with these labels, which is registered if need be. Costs a microsecond
   * or two: keep the handle. Values are byte strings (one char per byte) or text; see the README for
   * what happens to invalid, over-long and surplus ones. When the budget is used up, the handle adds to
   * the overflow series until there is room.
   */
  series(labelNames: readonly string[], labelValues: readonly string[]): H;
  /** Ends one series. Its final count goes to `mixerless_expired_total`. False if there is none. */
  remove(labelNames: readonly string[], labelValues: readonly string[]): boolean;
  /** Ends all series. */
  clear(): void;
}

/** What can be changed while running. A field that is left out has its default. */
export interface MetricSettings {
  /** Series of one metric. */
  readonly budget?: number;
  /** Milliseconds without an update; 0 = never. Rounded up to seconds. */
  readonly idleExpiry?: number;
  /** Finite upper bounds. Histograms whose bounds change restart at 0. */
  readonly buckets?: readonly number[];
  /** Envoy's log-linear bins (telemetry.md §1.9). A change restarts the histogram at 0. */
  readonly histogramImitation?: boolean;
}
