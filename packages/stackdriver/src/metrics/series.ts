import type { Resource } from "../config/platform.ts";
import type { MetricDefinition } from "./definitions.ts";

/** What a time series is of. Label values are in the order of `METRIC_LABELS`. */
export interface SeriesIdentity {
  readonly metric: MetricDefinition;
  readonly resource: Resource;
  readonly values: readonly string[];
}

/** The total of one time series since its start. */
export class Series {
  readonly identity: SeriesIdentity;
  /** Milliseconds since the epoch. */
  readonly start: number;
  /** Milliseconds without a change after which it goes; 0: never. */
  readonly expiry: number;
  /** False once it has expired: what comes then belongs to a new one. */
  live = true;
  /** Monotonic. */
  changed: number;
  /** Of a count, what was added; of a distribution, the number of values. */
  total = 0;
  mean = 0;
  /** Sum of the squared deviations from the mean. */
  deviation = 0;
  /** Of a distribution: values below the first bound, then from each bound up to the next. */
  readonly buckets: number[];

  constructor(identity: SeriesIdentity, start: number, changed: number, expiry: number) {
    this.identity = identity;
    this.start = start;
    this.changed = changed;
    this.expiry = expiry;
    const { bounds } = identity.metric;
    this.buckets = bounds === null ? [] : new Array<number>(bounds.length + 1).fill(0);
  }

  /** A count grows, or a distribution takes a value. */
  add(value: number, now: number): void {
    this.changed = now;
    const { bounds } = this.identity.metric;
    if (bounds === null) {
      this.total += value;
      return;
    }
    this.total++;
    // Welford's: the squares of large values would lose the small ones.
    const delta = value - this.mean;
    this.mean += delta / this.total;
    this.deviation += delta * (value - this.mean);
    let bucket = 0;
    while (bucket < bounds.length && value >= (bounds[bucket] ?? 0)) bucket++;
    this.buckets[bucket] = (this.buckets[bucket] ?? 0) + 1;
  }
}
