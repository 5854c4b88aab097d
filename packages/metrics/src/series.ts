import type { BucketLayout } from "./buckets.ts";
import type { LabelSet } from "./label-set.ts";
import type { SlotHolder } from "./slot-pool.ts";

const NO_PAGE = new Float64Array(0);

/** One series from its registration to its end; it never comes back. Handles outlive it. */
export class Series implements SlotHolder {
  readonly labels: LabelSet;
  /** Null unless it is a histogram. */
  layout: BucketLayout | null;
  page: Float64Array = NO_PAGE;
  offset = 0;
  slot = -1;
  live = true;
  /** Tick of the registration, or of the restart at 0. */
  created: number;
  /** Tick of the last update, 0 before the first. */
  touched = 0;
  /** A gauge moved by add(): expires only at 0. */
  balance = false;

  constructor(labels: LabelSet, layout: BucketLayout | null, tick: number) {
    this.labels = labels;
    this.layout = layout;
    this.created = tick;
  }

  /** Value of a counter or gauge. */
  get value(): number {
    return this.page[this.offset] ?? 0;
  }

  bump(n: number): void {
    this.page[this.offset] = (this.page[this.offset] as number) + n;
  }
}

/** Observations of a histogram series. */
export function observations(series: Series): number {
  const buckets = series.layout === null ? 0 : series.layout.stride - 1;
  let count = 0;
  for (let i = 0; i < buckets; i++) count += series.page[series.offset + i] as number;
  return count;
}

/** Sum of the observations of a histogram series. */
export function sumOf(series: Series): number {
  const { layout } = series;
  return layout === null ? 0 : (series.page[series.offset + layout.stride - 1] as number) / layout.sumUnit;
}
