import { VirtualClock } from "@mixerless/clock";
import { describe, expect, it } from "vitest";
import { CoarseTime } from "./coarse-time.ts";
import { CounterHandle } from "./counter-handle.ts";
import { HistogramHandle } from "./histogram-handle.ts";
import { LabelShapes } from "./label-shape.ts";
import { LabelTable } from "./label-table.ts";
import { MetricFamily, type SharedParts } from "./metric-family.ts";
import { resolveSettings } from "./settings.ts";
import { SlotPool } from "./slot-pool.ts";

function createShared(): SharedParts {
  const pool = new SlotPool(1);
  const histogramPool = new SlotPool(21);
  return {
    time: new CoarseTime(new VirtualClock()),
    shapes: new LabelShapes(),
    labels: new LabelTable(),
    tally: { expired: () => {}, overflowed: () => {}, cut: () => {}, refused: () => {} },
    pool: (stride) => (stride === 1 ? pool : histogramPool),
  };
}

function createCounters(shared: SharedParts, name: string): MetricFamily<CounterHandle> {
  return new MetricFamily({ name }, "counter", CounterHandle, shared, resolveSettings({ name }, "counter", {}, {}));
}

function createHistograms(shared: SharedParts, name: string): MetricFamily<HistogramHandle> {
  return new MetricFamily(
    { name },
    "histogram",
    HistogramHandle,
    shared,
    resolveSettings({ name }, "histogram", {}, {}),
  );
}

describe("a family of series", () => {
  it("shares label sets with other families and lets go of them", () => {
    const shared = createShared();
    const counters = createCounters(shared, "c");
    const histograms = createHistograms(shared, "h");
    const names = ["a", "b"];
    const counter = counters.series(names, ["1", "2"]);
    const histogram = histograms.series(names, ["1", "2"]);
    expect(histogram.labels).toBe(counter.labels);
    counters.series(["b", "a"], ["3", "1"]);
    histograms.series(["a", "b"], ["1", "3"]);
    expect(shared.labels.size).toBe(2);
    counters.clear();
    expect(shared.labels.size).toBe(1);
    histograms.clear();
    expect(shared.labels.size).toBe(0);
  });

  it("uses the slots of ended series again, also when series end and come for ever", () => {
    const shared = createShared();
    const counters = createCounters(shared, "c");
    for (let i = 0; i < 10_000; i++) {
      const handle = counters.series(["a"], [`${i}`]);
      handle.add(1);
      expect(handle.series.slot).toBeLessThan(2);
      if (i > 0) counters.remove(["a"], [`${i - 1}`]);
    }
    expect(shared.labels.size).toBe(1);
  });

  it("gives every series room of its own", () => {
    const histograms = createHistograms(createShared(), "h");
    const handles = Array.from({ length: 500 }, (_, i) => histograms.series(["a"], [`${i}`]));
    for (const [i, handle] of handles.entries()) for (let n = 0; n <= i % 7; n++) handle.record(i);
    expect(handles.map((handle) => handle.count)).toEqual(handles.map((_, i) => (i % 7) + 1));
    expect(handles.map((handle) => handle.sum)).toEqual(handles.map((_, i) => ((i % 7) + 1) * i));
  });
});
