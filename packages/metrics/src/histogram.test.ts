import { VirtualClock } from "@mixerless/clock";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bucketOf, DEFAULT_BUCKETS, imitatedEdge, imitatedSum } from "./buckets.ts";
import type { HistogramView } from "./metric.ts";
import { MetricStore } from "./metric-store.ts";

function histogramOf(imitation: boolean, buckets?: readonly number[]) {
  const store = new MetricStore({ clock: new VirtualClock(), histogramImitation: imitation });
  const family = store.histogram({ name: "h", ...(buckets && { buckets }) });
  const handle = family.series([], []);
  const view = (): HistogramView => {
    const [series] = family.entries();
    if (series?.histogram == null) throw new Error("no histogram");
    return series.histogram;
  };
  /** Cumulative counts by bound, as printed. */
  const cumulative = (): Map<number, number> => {
    let count = 0;
    const { bounds, counts } = view();
    const all = new Map<number, number>();
    for (const [i, n] of counts.entries()) {
      count += n;
      all.set(bounds[i] ?? Number.POSITIVE_INFINITY, count);
    }
    return all;
  };
  return { store, handle, view, cumulative };
}

describe("a histogram", () => {
  it("has the 19 finite bounds of Istio by default", () => {
    expect(histogramOf(false).view().bounds).toEqual([
      0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 600000, 1800000, 3600000,
    ]);
  });

  it("counts a value under every bound that is not below it, and sums exactly", () => {
    const { handle, view, cumulative } = histogramOf(false);
    for (const value of [0, 1, 25, 25.5, 3_600_000, 3_600_001]) handle.record(value);
    const counts = cumulative();
    expect([0.5, 1, 10, 25, 50, 1_800_000, 3_600_000].map((le) => counts.get(le))).toEqual([1, 2, 2, 3, 4, 4, 5]);
    expect(view()).toMatchObject({ count: 6, sum: 7_200_052.5 });
    expect(handle.count).toBe(6);
    expect(handle.sum).toBe(7_200_052.5);
  });

  it("finds the bucket that a plain search finds, whatever the bounds", () => {
    const bounds = fc.uniqueArray(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 60 });
    fc.assert(
      fc.property(bounds, fc.double({ noNaN: true }), (list, value) => {
        const sorted = Float64Array.from(list).sort();
        const found = sorted.findIndex((bound) => bound >= value);
        expect(bucketOf(sorted, value)).toBe(found < 0 ? sorted.length : found);
      }),
    );
  });

  it.each([
    ["not ascending", [1, 1]],
    ["descending", [2, 1]],
    ["not a number", [Number.NaN]],
    ["infinite below", [Number.NEGATIVE_INFINITY, 1]],
    ["infinite in the middle", [1, Number.POSITIVE_INFINITY, 2]],
    ["too many", Array.from({ length: 257 }, (_, i) => i)],
  ])("refuses bounds that are %s", (_, buckets) => {
    expect(() => histogramOf(false, buckets)).toThrow(expect.objectContaining({ code: "metric_buckets_invalid" }));
  });

  it("takes a final +Inf as understood, and no bounds at all", () => {
    expect(histogramOf(false, [1, Number.POSITIVE_INFINITY]).view().bounds).toEqual([1]);
    const { handle, view } = histogramOf(false, []);
    handle.record(5);
    expect(view()).toEqual({ bounds: [], counts: [1], sum: 5, count: 1 });
  });

  it("counts values that make no sense instead of taking them", () => {
    const { store, handle, view } = histogramOf(false);
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) handle.record(value);
    expect(view()).toMatchObject({ count: 0, sum: 0 });
    expect(store.text()).toContain('mixerless_values_refused_total{metric="h"} 3\n');
  });
});

describe("a histogram that imitates Envoy", () => {
  it("bins the seven values of the first vector as Envoy does", () => {
    const { handle, view, cumulative } = histogramOf(true);
    for (const value of [50, 20, 30, 70, 100, 5000, 200]) handle.record(value);
    const expected = [0, 0, 0, 0, 1, 2, 4, 6, 6, 6, 6, 6, 7, 7, 7, 7, 7, 7, 7, 7];
    expect([...cumulative().values()]).toEqual(expected);
    expect(view()).toMatchObject({ sum: 5532, count: 7 });
  });

  it("bins the hundred million values of the second vector as Envoy does", () => {
    // Recording a value n times adds n to its bucket and n midpoints to the sum; the arithmetic is
    // checked here for the whole vector, the recording itself for the thousandth part of it.
    const times = [
      [1, 100_000],
      [100, 1_000_000],
      [1000, 100_000_000],
    ] as const;
    const bounds = Float64Array.from(DEFAULT_BUCKETS);
    const counts = new Array<number>(20).fill(0);
    let twentieths = 0;
    for (const [value, n] of times) {
      const bucket = bucketOf(bounds, imitatedEdge(value));
      counts[bucket] = (counts[bucket] ?? 0) + n;
      twentieths += n * imitatedSum(value);
    }
    const all = counts.map((_, i) => counts.slice(0, i + 1).reduce((a, b) => a + b));
    expect(all.slice(0, 2)).toEqual([0, 0]);
    expect(all.slice(2, 7)).toEqual(new Array(5).fill(100_000));
    expect(all.slice(7, 10)).toEqual(new Array(3).fill(1_100_000));
    expect(all.slice(10)).toEqual(new Array(10).fill(101_100_000));
    expect(twentieths / 20).toBe(105_105_105_000);

    const { handle, view, cumulative } = histogramOf(true);
    for (const [value, n] of times) for (let i = 0; i < n / 1000; i++) handle.record(value);
    expect([...cumulative().values()]).toEqual(all.map((n) => n / 1000));
    expect(view().sum).toBe(105_105_105);
  });

  it.each([
    [0, 0, 0],
    [1, 1.1, 1.05],
    [5, 5.1, 5.05],
    [9.9, 9.1, 9.05],
    [10, 11, 10.5],
    [99, 100, 99.5],
    [100, 110, 105],
    [120, 130, 125],
    [129, 130, 125],
    [1000, 1100, 1050],
    [-3, 0, 0],
    [2 ** 70, 1.9e19, 1.85e19],
  ])("puts %d into the bin with upper edge %d and midpoint %d", (value, edge, midpoint) => {
    expect(imitatedEdge(value)).toBe(edge);
    expect(imitatedSum(value) / 20).toBe(midpoint);
  });

  it("treats bounds as exclusive, and rounds bounds of three digits up", () => {
    const { handle, cumulative } = histogramOf(true, [25, 50, 125, 130]);
    for (const value of [25, 120, 129]) handle.record(value);
    expect([...cumulative().values()]).toEqual([0, 1, 1, 3, 3]);
  });
});
