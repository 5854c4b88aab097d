import { METRICS_LIMIT } from "./limits.ts";
import type { Counter, Family, MetricDefinition } from "./metric.ts";

/** Where a store counts what it could not keep. */
export interface Tally {
  /** The final count of series that ended. */
  expired(metric: string, count: number): void;
  /** A registration refused for want of room. */
  overflowed(metric: string): void;
  /** Label values shortened. */
  cut(metric: string, values: number): void;
  /** A value that makes no sense. */
  refused(metric: string): void;
}

const SELF_METRICS = {
  expired: {
    name: "mixerless_expired_total",
    help: "Final counts of series that ended, by metric; of histograms the observations.",
  },
  overflowed: {
    name: "mixerless_series_overflow_total",
    help: "Registrations of series that found the budget of their metric used up.",
  },
  cut: { name: "mixerless_label_values_cut_total", help: "Label values shortened to the limit." },
  refused: { name: "mixerless_values_refused_total", help: "Updates with a value that makes no sense." },
} as const;

const SELF_NAMES: ReadonlySet<string> = new Set(Object.values(SELF_METRICS).map((metric) => metric.name));

/** Series of a self metric: one per metric, also for metrics that are gone. */
export const SELF_BUDGET = 2 * METRICS_LIMIT;

/** Whether a metric is one that every store has about itself: not removed, not counted in itself. */
export function isSelfMetric(name: string): boolean {
  return SELF_NAMES.has(name);
}

/** Counts in the store's own metrics. A series appears when there is something to count. */
export class SelfTally implements Tally {
  #families: { [K in keyof Tally]: Family<Counter> } | null = null;

  /** Defines the metrics before anybody else can take their names. */
  define(counter: (definition: MetricDefinition) => Family<Counter>): void {
    const define = (kind: keyof Tally) => counter({ ...SELF_METRICS[kind], evictable: false });
    this.#families = {
      expired: define("expired"),
      overflowed: define("overflowed"),
      cut: define("cut"),
      refused: define("refused"),
    };
  }

  expired(metric: string, count: number): void {
    this.#count("expired", metric, count);
  }

  overflowed(metric: string): void {
    this.#count("overflowed", metric, 1);
  }

  cut(metric: string, values: number): void {
    this.#count("cut", metric, values);
  }

  refused(metric: string): void {
    this.#count("refused", metric, 1);
  }

  #count(kind: keyof Tally, metric: string, n: number): void {
    if (!isSelfMetric(metric)) this.#families?.[kind].series(["metric"], [metric]).add(n);
  }
}
