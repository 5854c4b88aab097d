import { VirtualClock } from "@mixerless/clock";
import { describe, expect, it } from "vitest";
import { MetricStore } from "./metric-store.ts";
import { familyTotals, increase } from "./totals.ts";

describe("totals", () => {
  it("hold counters and histograms, cumulative as they are printed, and no gauges", () => {
    const store = new MetricStore({ clock: new VirtualClock() });
    store.counter({ name: "c" }).series(["b", "a"], ["2", "1"]).add(3);
    store.gauge({ name: "g" }).series([], []).set(1);
    const histogram = store.histogram({ name: "h", buckets: [1, 2] }).series([], []);
    histogram.record(1);
    histogram.record(2);
    expect(Object.fromEntries(familyTotals(store.families()))).toEqual({
      'c{a="1",b="2"}': 3,
      'h_bucket{le="1"}': 1,
      'h_bucket{le="2"}': 2,
      'h_bucket{le="+Inf"}': 2,
      h_sum: 3,
      h_count: 2,
    });
  });

  it("increase by what was counted since, a restart at 0 included", () => {
    const before = new Map([
      ["grown", 5],
      ["same", 5],
      ["restarted", 5],
      ["gone", 5],
    ]);
    const after = new Map([
      ["grown", 8],
      ["same", 5],
      ["restarted", 2],
      ["new", 4],
    ]);
    expect(Object.fromEntries(increase(before, after))).toEqual({ grown: 3, restarted: 2, new: 4 });
  });
});
