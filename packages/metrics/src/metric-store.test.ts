import { VirtualClock } from "@mixerless/clock";
import { describe, expect, it } from "vitest";
import type { SeriesView } from "./metric.ts";
import { MetricStore, type StoreOptions } from "./metric-store.ts";
import { familyTotals, increase } from "./totals.ts";

function setup(options: Partial<StoreOptions> = {}) {
  const clock = new VirtualClock();
  const store = new MetricStore({ clock, idleExpiry: 60_000, ...options });
  const requests = store.counter({ name: "requests_total" });
  const values = () => Object.fromEntries([...requests.entries()].map((s) => [labelsOf(s), s.value]));
  const self = (name: string) => familyTotals(store.families()).get(`${name}{metric="requests_total"}`) ?? 0;
  return { clock, store, requests, values, self };
}

function labelsOf(series: SeriesView): string {
  return series.labels.map((pair) => pair.join("=")).join(",");
}

describe("defining a metric", () => {
  it("gives the same family for the same name and type", () => {
    const { store, requests } = setup();
    expect(store.counter({ name: "requests_total" })).toBe(requests);
  });

  it.each([
    ["another type", () => setup().store.gauge({ name: "requests_total" }), "metric_type_conflict"],
    ["an invalid name", () => setup().store.counter({ name: "9lives" }), "metric_name_invalid"],
    ["an empty name", () => setup().store.counter({ name: "" }), "metric_name_invalid"],
    ["an endless name", () => setup().store.counter({ name: "x".repeat(513) }), "metric_name_invalid"],
    [
      "the type of a self metric",
      () => setup().store.gauge({ name: "mixerless_expired_total" }),
      "metric_type_conflict",
    ],
  ])("refuses %s", (_, define, code) => {
    expect(define).toThrow(expect.objectContaining({ name: "MetricError", code }));
  });

  it("refuses names that a histogram's samples have", () => {
    const { store } = setup();
    store.histogram({ name: "duration" });
    store.gauge({ name: "size_count" });
    const clash = expect.objectContaining({ code: "metric_name_clash" });
    expect(() => store.counter({ name: "duration_sum" })).toThrow(clash);
    expect(() => store.histogram({ name: "duration_bucket" })).toThrow(clash);
    expect(() => store.histogram({ name: "size" })).toThrow(clash);
  });

  it("refuses metrics without end", () => {
    const { store } = setup();
    const define = () => {
      for (let i = 0; i < 5000; i++) store.counter({ name: `made_up_${i}` });
    };
    expect(define).toThrow(expect.objectContaining({ code: "too_many_metrics" }));
    expect([...store.families()]).toHaveLength(4096);
  });
});

describe("series", () => {
  it("are one for the same labels, whatever their order", () => {
    const { requests, values } = setup();
    requests.series(["a", "b"], ["1", "2"]).add(1);
    requests.series(["b", "a"], ["2", "1"]).add(2);
    expect(values()).toEqual({ "a=1,b=2": 3 });
  });

  it("are one with and without a label that has no value, as Prometheus sees them", () => {
    const { requests, values } = setup();
    requests.series(["a"], ["1"]).add(1);
    requests.series(["a", "status"], ["1", ""]).add(1);
    expect(values()).toEqual({ "a=1": 2 });
  });

  it("with other label names live beside the old ones and begin at 0", () => {
    const { requests, values } = setup();
    requests.series(["a"], ["1"]).add(5);
    requests.series(["a", "b"], ["1", "2"]).add(1);
    expect(values()).toEqual({ "a=1": 5, "a=1,b=2": 1 });
  });

  it("do not mix values up, whatever they contain", () => {
    const { requests } = setup();
    const hostile = ["", "a", "\x10", "\x10\x10\x10", "\x0e", "\x0f", '"', "\\", "\n", ",", "=", "a\x10\x10\x11b"];
    const shown = new Set<string>();
    for (const a of hostile) {
      for (const b of hostile) {
        requests.series(["a", "b"], [a, b]).add(1);
        shown.add(JSON.stringify([a, b]).replace(/(\\u00..)/g, "\ufffd"));
      }
    }
    expect(requests.size).toBe(shown.size);
  });

  it("have sanitised names; of two equal ones the last value counts", () => {
    const { requests, values } = setup();
    requests.series(["request.host", "request_host", "__name__"], ["first", "last", "x"]).add(1);
    expect(values()).toEqual({ "request_host=last,exported___name__=x": 1 });
  });

  it("leave the bounds of a histogram alone", () => {
    const { store } = setup();
    const family = store.histogram({ name: "h" });
    family.series(["le", "a"], ["mine", "1"]).record(1);
    expect([...family.entries()].map(labelsOf)).toEqual(["exported_le=mine,a=1"]);
  });

  it("take at most 64 labels, values of 256 bytes, and count what was cut", () => {
    const { requests, values, self } = setup();
    const names = Array.from({ length: 70 }, (_, i) => `l${i}`);
    requests.series(names, new Array(70).fill("v")).add(1);
    requests.series(["a", "b"], ["x".repeat(300), "y".repeat(256)]).add(1);
    requests.series(["a", "b"], ["x".repeat(301), "y".repeat(256)]).add(1);
    const [many, long] = Object.keys(values());
    expect(many?.split(",")).toHaveLength(64);
    expect(long).toBe(`a=${"x".repeat(256)},b=${"y".repeat(256)}`);
    expect(Object.values(values())).toEqual([1, 2]);
    expect(self("mixerless_label_values_cut_total")).toBe(2);
  });

  it("keep working when label names are made up without end", () => {
    const { store } = setup();
    store.configure("requests_total", { budget: 100_000 });
    const requests = store.counter({ name: "requests_total" });
    for (let i = 0; i < 6000; i++) requests.series([`name_${i}`], [`v${i}`]).add(i);
    for (let i = 0; i < 6000; i++) requests.series([`name_${i}`], [`v${i}`]).add(1);
    expect(requests.size).toBe(6000);
    expect(requests.series(["name_5999"], ["v5999"]).value).toBe(6000);
    expect([...requests.entries()].at(-1)?.labels).toEqual([["name_5999", "v5999"]]);
    requests.series(["x"], ["ab"]);
    requests.series(["xa"], ["b"]);
    expect(requests.size).toBe(6002);
  });

  it("tolerate lists of unequal length", () => {
    const { requests, values } = setup();
    requests.series(["a", "b"], ["1"]).add(1);
    requests.series(["a"], ["1", "2"]).add(1);
    expect(values()).toEqual({ "a=1,b=": 2 });
  });

  it("end when they are removed, and a kept handle begins anew", () => {
    const { requests, values, self } = setup();
    const handle = requests.series(["a"], ["1"]);
    handle.add(5);
    expect(requests.remove(["a"], ["1"])).toBe(true);
    expect(requests.remove(["a"], ["1"])).toBe(false);
    expect(handle.value).toBe(0);
    handle.add(1);
    expect(values()).toEqual({ "a=1": 1 });
    requests.clear();
    expect(values()).toEqual({});
    expect(self("mixerless_expired_total")).toBe(6);
  });

  it("say since when they count", () => {
    const { clock, requests } = setup();
    clock.advance(5000);
    requests.series(["a"], ["1"]).add(1);
    clock.advance(30_000);
    const [series] = requests.entries();
    expect(series?.startTime).toBe(Date.UTC(2026, 0, 1) + 5000);
  });

  it("are not changed by values that make no sense", () => {
    const { requests, values, self } = setup();
    const handle = requests.series([], []);
    for (const n of [-1, Number.NaN, Number.POSITIVE_INFINITY]) handle.add(n);
    expect(values()).toEqual({ "": 0 });
    expect(self("mixerless_values_refused_total")).toBe(3);
  });
});

describe("idle expiry", () => {
  it("ends a series within two seconds after the set time without updates, never before", () => {
    const { clock, requests } = setup();
    clock.advance(999);
    requests.series(["a"], ["1"]).add(1);
    clock.advance(60_000);
    expect(requests.size).toBe(1);
    clock.advance(2000);
    expect(requests.size).toBe(0);
  });

  it("counts from the last update, also one of 0", () => {
    const { clock, store, requests } = setup();
    const histograms = store.histogram({ name: "h" });
    const gauges = store.gauge({ name: "g" });
    const counter = requests.series(["a"], ["1"]);
    const histogram = histograms.series(["a"], ["1"]);
    const gauge = gauges.series(["a"], ["1"]);
    for (let i = 0; i < 10; i++) {
      counter.add(0);
      histogram.record(0);
      gauge.set(0);
      clock.advance(50_000);
    }
    expect([requests.size, histograms.size, gauges.size]).toEqual([1, 1, 1]);
  });

  it("adds the final counts to the expired total and never to a live series", () => {
    const { clock, store, requests, values, self } = setup();
    const histogram = store.histogram({ name: "h" }).series([], []);
    const handle = requests.series(["a"], ["1"]);
    handle.add(7);
    for (const v of [1, 2, 3]) histogram.record(v);
    clock.advance(70_000);
    handle.add(1);
    expect(values()).toEqual({ "a=1": 1 });
    expect(self("mixerless_expired_total")).toBe(7);
    expect(store.text()).toContain('mixerless_expired_total{metric="h"} 3\n');
  });

  it("lets two handles of one series meet again", () => {
    const { clock, requests, values } = setup();
    const one = requests.series(["a"], ["1"]);
    const two = requests.series(["a"], ["1"]);
    one.add(1);
    clock.advance(70_000);
    two.add(1);
    one.add(1);
    expect(values()).toEqual({ "a=1": 2 });
  });

  it("gives freed slots out again, empty", () => {
    const { clock, requests } = setup();
    const old = requests.series(["a"], ["1"]);
    old.add(7);
    clock.advance(70_000);
    expect(requests.series(["a"], ["2"]).value).toBe(0);
    expect(old.value).toBe(0);
  });

  it("spares what is not evictable", () => {
    const { clock, store } = setup();
    const build = store.gauge({ name: "istio_build", evictable: false });
    build.series(["component"], ["proxy"]).set(1);
    clock.advance(10_000_000);
    expect(build.size).toBe(1);
  });

  it("is off with 0", () => {
    const { clock, requests } = setup({ idleExpiry: 0 });
    requests.series(["a"], ["1"]).add(1);
    clock.advance(100_000_000);
    expect(requests.size).toBe(1);
  });

  it("changes while running, for one metric or for all", () => {
    const { clock, store, requests } = setup();
    requests.series(["a"], ["1"]).add(1);
    store.configure("requests_total", { idleExpiry: 5000 });
    clock.advance(10_000);
    expect(requests.size).toBe(0);
    store.configure("requests_total", {});
    store.configureDefaults({ idleExpiry: 20_000 });
    requests.series(["a"], ["1"]).add(1);
    clock.advance(15_000);
    expect(requests.size).toBe(1);
    clock.advance(15_000);
    expect(requests.size).toBe(0);
  });

  it("ends many series in slices", () => {
    const { clock, requests } = setup({ defaultBudget: 5000 });
    for (let i = 0; i < 5000; i++) requests.series(["a"], [`${i}`]).add(1);
    const left: number[] = [];
    clock.advance(60_000);
    for (let i = 0; i < 2000 && requests.size > 0; i++) {
      clock.advance(1);
      if (left.at(-1) !== requests.size) left.push(requests.size);
    }
    expect(left).toEqual([5000, 4488, 3976, 3464, 2952, 2440, 1928, 1416, 904, 392, 0]);
  });

  it("leaves no timer behind", () => {
    const { clock, store, requests } = setup();
    for (let i = 0; i < 2000; i++) requests.series(["a"], [`${i}`]).add(1);
    clock.advance(61_001);
    store.close();
    expect(clock.pending).toBe(0);
  });
});

describe("the budget of a metric", () => {
  it("sends what finds no room to one overflow series and counts the refusals", () => {
    const { requests, values, self } = setup({ defaultBudget: 2 });
    const handles = ["1", "2", "3", "4"].map((a) => requests.series(["a"], [a]));
    for (const handle of handles) handle.add(1);
    for (const handle of handles) handle.add(1);
    expect(values()).toEqual({ "a=1": 2, "a=2": 2, "mixerless_overflow=true": 4 });
    expect(requests.size).toBe(2);
    expect(self("mixerless_series_overflow_total")).toBe(2);
  });

  it("is held under an attack with random values", () => {
    const { store, requests, self } = setup({ defaultBudget: 100 });
    for (let i = 0; i < 10_000; i++) requests.series(["host"], [`random-${i}`]).add(1);
    expect(requests.size).toBe(100);
    expect(self("mixerless_series_overflow_total")).toBe(9900);
    expect(store.text().match(/^requests_total/gm)).toHaveLength(101);
  });

  it("lets refused handles register as soon as there is room", () => {
    const { clock, requests, values } = setup({ defaultBudget: 1 });
    const one = requests.series(["a"], ["1"]);
    const two = requests.series(["a"], ["2"]);
    one.add(1);
    for (let i = 0; i < 7; i++) {
      two.add(1);
      clock.advance(10_000);
    }
    expect(requests.size).toBe(0);
    two.add(1);
    one.add(1);
    expect(values()).toEqual({ "mixerless_overflow=true": 8, "a=2": 1 });
  });

  it("changes while running, up and down", () => {
    const { store, requests, values } = setup({ defaultBudget: 1 });
    const handles = ["1", "2", "3"].map((a) => requests.series(["a"], [a]));
    for (const handle of handles) handle.add(1);
    store.configure("requests_total", { budget: 3 });
    for (const handle of handles) handle.add(1);
    expect(values()).toEqual({ "a=1": 2, "mixerless_overflow=true": 2, "a=2": 1, "a=3": 1 });
    store.configure("requests_total", { budget: 0 });
    requests.series(["a"], ["4"]).add(1);
    expect(values()).toEqual({ "a=1": 2, "mixerless_overflow=true": 3, "a=2": 1, "a=3": 1 });
  });

  it("does not bind the metrics of the store about itself", () => {
    const { store } = setup({ defaultBudget: 0 });
    for (const name of ["a", "b", "c"]) store.counter({ name }).series([], []).add(1);
    expect(store.text().match(/^mixerless_series_overflow_total\{/gm)).toHaveLength(3);
  });

  it("takes a series that is named like the overflow series for it", () => {
    const { requests, values } = setup({ defaultBudget: 1 });
    requests.series(["mixerless_overflow"], ["true"]).add(1);
    requests.series(["a"], ["1"]).add(1);
    requests.series(["a"], ["2"]).add(1);
    // It no longer counts against the budget, so the third finds room.
    expect(values()).toEqual({ "mixerless_overflow=true": 2, "a=2": 1 });
  });
});

describe("settings", () => {
  it("can be made before the metric is", () => {
    const { store } = setup();
    store.configure("h", { buckets: [1, 2] });
    const family = store.histogram({ name: "h", buckets: [7] });
    family.series([], []).record(1);
    expect([...family.entries()][0]?.histogram?.bounds).toEqual([1, 2]);
  });

  it.each([{ budget: -1 }, { budget: Number.NaN }, { idleExpiry: -1 }, { idleExpiry: Number.POSITIVE_INFINITY }])(
    "refuses %j",
    (settings) => {
      const { store } = setup();
      const refusal = expect.objectContaining({ code: "metric_setting_invalid" });
      expect(() => store.configure("requests_total", settings)).toThrow(refusal);
      expect(() => store.configureDefaults(settings)).toThrow(refusal);
    },
  );

  it("with new buckets restart the histogram at 0; equal ones change nothing", () => {
    const { clock, store } = setup();
    const family = store.histogram({ name: "h", buckets: [1, 10] });
    const handle = family.series(["a"], ["1"]);
    const histogram = () => [...family.entries()][0]?.histogram;
    handle.record(5);
    store.configure("h", { buckets: [1, 10] });
    expect(histogram()).toMatchObject({ count: 1 });
    clock.advance(10_000);
    store.configure("h", { buckets: [1, 2, 3] });
    expect(histogram()).toEqual({ bounds: [1, 2, 3], counts: [0, 0, 0, 0], sum: 0, count: 0 });
    handle.record(2);
    expect(histogram()).toEqual({ bounds: [1, 2, 3], counts: [0, 1, 0, 0], sum: 2, count: 1 });
    expect([...family.entries()][0]?.startTime).toBe(clock.now());
    store.configure("h", { histogramImitation: true });
    expect(histogram()).toMatchObject({ count: 0 });
    handle.record(2);
    expect(histogram()).toEqual({ bounds: [10, 1].reverse(), counts: [0, 1, 0], sum: 2.05, count: 1 });
  });

  it("with more buckets give every series room for them", () => {
    const { store } = setup();
    const family = store.histogram({ name: "h", buckets: [10] });
    const early = ["1", "2", "3"].map((a) => family.series(["a"], [a]));
    store.configure("h", { buckets: [1, 2, 3, 4, 5] });
    const handles = [...early, ...["4", "5", "6"].map((a) => family.series(["a"], [a]))];
    for (const [i, handle] of handles.entries()) for (let n = 0; n <= i; n++) handle.record(i);
    expect(handles.map((handle) => handle.count)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(handles.map((handle) => handle.sum)).toEqual([0, 2, 6, 12, 20, 30]);
  });

  it("with bad buckets change nothing", () => {
    const { store } = setup();
    const family = store.histogram({ name: "h", buckets: [1] });
    family.series([], []).record(1);
    expect(() => store.configure("h", { buckets: [2, 1], budget: 0 })).toThrow();
    family.series(["a"], ["1"]).record(1);
    expect(family.size).toBe(2);
  });
});

describe("removing a metric", () => {
  it("ends its series; handles that are kept do no harm", () => {
    const { store, requests, self } = setup();
    const handle = requests.series(["a"], ["1"]);
    handle.add(5);
    expect(store.remove("requests_total")).toBe(true);
    expect(store.remove("requests_total")).toBe(false);
    handle.add(1);
    requests.series(["a"], ["2"]).add(1);
    expect([...requests.entries()]).toEqual([]);
    expect(store.text()).not.toMatch(/^requests_total/m);
    expect(self("mixerless_expired_total")).toBe(5);
    const again = store.histogram({ name: "requests_total" });
    handle.add(1);
    expect(again.size).toBe(0);
  });

  it("is not done to the metrics of the store about itself", () => {
    const { store } = setup();
    expect(store.remove("mixerless_expired_total")).toBe(false);
  });

  it("that is one of those may have its series cleared, and is not counted in itself", () => {
    const { store, requests } = setup();
    requests.series([], []).add(-1);
    requests.series([], []).add(1);
    requests.clear();
    for (const name of ["mixerless_expired_total", "mixerless_values_refused_total"]) {
      const self = store.counter({ name });
      expect(self.size).toBe(1);
      self.clear();
    }
    expect(store.text()).toBe("");
  });

  it("keeps handles of histograms and gauges harmless too", () => {
    const { store } = setup();
    const histogram = store.histogram({ name: "h" }).series([], []);
    const gauge = store.gauge({ name: "g" }).series([], []);
    histogram.record(1);
    gauge.add(1);
    store.remove("h");
    store.remove("g");
    histogram.record(1);
    gauge.add(1);
    gauge.set(5);
    expect(store.text()).not.toMatch(/^[gh]/m);
  });
});

describe("the reset-aware increase", () => {
  it("equals what was counted, also when series expired in between", () => {
    const { clock, store, requests } = setup();
    const handle = requests.series(["a"], ["1"]);
    handle.add(5);
    const before = familyTotals(store.families());
    clock.advance(70_000);
    handle.add(2);
    const after = familyTotals(store.families());
    expect(increase(before, after).get('requests_total{a="1"}')).toBe(2);
    expect(increase(after, after)).toEqual(new Map());
  });
});
