/** How many observations lie at or below a bound. */
export interface Bucket {
  readonly bound: number;
  readonly count: number;
}

/** Prometheus's rule for classic histograms: observations lie evenly between the bounds of their bucket. */
export function histogramQuantile(quantile: number, unsorted: readonly Bucket[]): number {
  const buckets = [...unsorted].sort((a, b) => a.bound - b.bound);
  const last = buckets.at(-1);
  if (last === undefined || buckets.length < 2 || last.bound !== Number.POSITIVE_INFINITY) return Number.NaN;
  if (last.count === 0) return Number.NaN;
  const rank = quantile * last.count;
  const at = buckets.findIndex(({ count }) => count >= rank);
  const below = buckets[at - 1] ?? { bound: 0, count: 0 };
  const found = buckets[at] ?? last;
  // Nothing is known of what lies above the highest finite bound.
  if (found === last || at < 0) return buckets.at(-2)?.bound ?? Number.NaN;
  return below.bound + ((found.bound - below.bound) * (rank - below.count)) / (found.count - below.count);
}

/** Seconds since 1970 and the counter's value. */
export type Point = readonly [number, number];

/** The rate between the last two points. */
export function irateOf(points: readonly Point[]): number | undefined {
  const [first, last] = points.slice(-2);
  return first && last && (last[1] - first[1]) / (last[0] - first[0]);
}

/** The rate over a window, extended from the points to the ends of the window, but not to before the counter was 0. */
export function rateOf(points: readonly Point[], end: number, window: number): number | undefined {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || points.length < 2) return undefined;
  const increase = last[1] - first[1];
  const sampled = last[0] - first[0];
  const apart = sampled / (points.length - 1);
  const within = (gap: number) => (gap < apart * 1.1 ? gap : apart / 2);
  const sinceZero = increase > 0 ? (sampled * first[1]) / increase : Number.POSITIVE_INFINITY;
  const before = Math.min(within(first[0] - (end - window)), sinceZero);
  return (increase * (sampled + before + within(end - last[0]))) / sampled / window;
}
