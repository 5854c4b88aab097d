import { BUCKETS_LIMIT } from "./limits.ts";
import { MetricError } from "./metric-error.ts";

/** Upper bounds of every Istio histogram, milliseconds and bytes alike [telemetry.md §1.9]. */
export const DEFAULT_BUCKETS: readonly number[] = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000,
  3_600_000,
];

/**
 * How the observations of a histogram lie in its slot: a count per bucket (not cumulative, the last
 * is +Inf), then the sum.
 */
export interface BucketLayout {
  readonly bounds: Float64Array;
  readonly stride: number;
  /** Divides the stored sum. 1, or 20 for {@link imitatedSum}. */
  readonly sumUnit: number;
  readonly imitation: boolean;
}

/** Throws a {@link MetricError} unless `bounds` are finite and ascending. A final +Inf is accepted. */
export function createBucketLayout(metric: string, bounds: readonly number[], imitation: boolean): BucketLayout {
  const finite = bounds.at(-1) === Number.POSITIVE_INFINITY ? bounds.slice(0, -1) : bounds;
  const ascending = finite.every((bound, i) => Number.isFinite(bound) && (i === 0 || bound > (finite[i - 1] ?? bound)));
  if (!ascending || finite.length > BUCKETS_LIMIT) {
    throw new MetricError(
      "metric_buckets_invalid",
      `The buckets of ${metric} can't be used: [${bounds.slice(0, 30).join(", ")}]. ` +
        `Give at most ${BUCKETS_LIMIT} finite upper bounds, each greater than the one before.`,
    );
  }
  return { bounds: Float64Array.from(finite), stride: finite.length + 2, sumUnit: imitation ? 20 : 1, imitation };
}

export function sameLayout(a: BucketLayout, b: BucketLayout): boolean {
  return (
    a.imitation === b.imitation && a.bounds.length === b.bounds.length && a.bounds.every((v, i) => v === b.bounds[i])
  );
}

/** Index of the first bound that is at least `value`, or the number of bounds. */
export function bucketOf(bounds: Float64Array, value: number): number {
  let low = 0;
  let high = bounds.length;
  while (high - low > 8) {
    const middle = (low + high) >> 1;
    if (value > (bounds[middle] as number)) low = middle + 1;
    else high = middle;
  }
  while (low < high && value > (bounds[low] as number)) low++;
  return low;
}

// Envoy's histograms [telemetry.md §1.9] put a whole number into the bin [m·10^p, (m+1)·10^p) with m
// of two digits. The bin counts under a bound that is not below the bin's upper edge, and adds its
// midpoint to the sum. A midpoint is always a multiple of 1/20, so the sum is kept in twentieths and
// stays exact; Envoy's own differs from it by no more than its rounding.

const TENS = Float64Array.from({ length: 21 }, (_, i) => 10 ** i);
const MAX_VALUE = 2 ** 64 - 2048;

/** The upper edge of the bin that Envoy puts `value` into. */
export function imitatedEdge(value: number): number {
  const whole = wholeNumber(value);
  if (whole === 0) return 0;
  if (whole < 10) return (whole * 10 + 1) / 10;
  const p = power(whole);
  const ten = TENS[p] as number;
  return (Math.floor(whole / ten) + 1) * ten;
}

/** Twenty times the midpoint of the bin that Envoy puts `value` into. */
export function imitatedSum(value: number): number {
  const whole = wholeNumber(value);
  if (whole === 0) return 0;
  if (whole < 10) return whole * 20 + 1;
  const p = power(whole);
  const ten = TENS[p] as number;
  return (Math.floor(whole / ten) * 2 + 1) * ten * 10;
}

function wholeNumber(value: number): number {
  return value > 0 ? Math.min(Math.floor(value), MAX_VALUE) : 0;
}

function power(whole: number): number {
  let p = 0;
  while (whole >= 100 * (TENS[p] as number)) p++;
  return p;
}
