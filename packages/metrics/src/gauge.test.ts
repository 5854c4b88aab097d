import { VirtualClock } from "@mixerless/clock";
import { describe, expect, it } from "vitest";
import { MetricStore } from "./metric-store.ts";
import { parseExposition } from "./parse-exposition.ts";
import { sumSamples } from "./samples.ts";

function setup(budget = 10) {
  const clock = new VirtualClock();
  const store = new MetricStore({ clock, idleExpiry: 10_000, defaultBudget: budget });
  const gauge = store.gauge({ name: "open" });
  const read = (labels: Record<string, string>): number => {
    const parsed = parseExposition(store.text());
    if ("faults" in parsed) throw new Error(JSON.stringify(parsed.faults));
    return sumSamples(parsed.samples, "open", labels);
  };
  return { clock, store, gauge, read };
}

describe("a gauge", () => {
  it("is set and moved", () => {
    const { gauge } = setup();
    const handle = gauge.series(["k"], ["a"]);
    handle.set(5);
    handle.add(-7.5);
    expect(handle.value).toBe(-2.5);
    handle.add(Number.NaN);
    handle.set(Number.POSITIVE_INFINITY);
    expect(handle.value).toBe(-2.5);
  });

  it("that was set expires when idle, and its value is not counted as lost", () => {
    const { clock, store, gauge } = setup();
    gauge.series(["k"], ["a"]).set(5);
    clock.advance(20_000);
    expect(store.text()).toBe("");
    expect(gauge.size).toBe(0);
  });

  it("that holds a balance stays until it is given back", () => {
    const { clock, gauge } = setup();
    const handle = gauge.series(["k"], ["a"]);
    handle.add(2);
    clock.advance(60_000);
    handle.add(-1);
    expect(handle.value).toBe(1);
    handle.add(-1);
    clock.advance(60_000);
    expect(gauge.size).toBe(0);
    handle.add(2);
    handle.set(3);
    clock.advance(60_000);
    expect(gauge.size).toBe(0);
  });

  it("moves its level out of the overflow series when it finds room", () => {
    const { store, gauge, read } = setup(1);
    gauge.series(["k"], ["a"]).set(1);
    const b = gauge.series(["k"], ["b"]);
    const c = gauge.series(["k"], ["c"]);
    b.add(3);
    c.add(4);
    expect(read({ mixerless_overflow: "true" })).toBe(7);
    expect([b.value, c.value]).toEqual([3, 4]);
    store.configure("open", { budget: 2 });
    b.add(-1);
    expect(read({ k: "b" })).toBe(2);
    expect(read({ mixerless_overflow: "true" })).toBe(4);
    b.add(-2);
    c.add(-4);
    expect(read({})).toBe(1);
    expect(read({ mixerless_overflow: "true" })).toBe(0);
  });

  it("that is set without room counts its last level once", () => {
    const { store, gauge, read } = setup(0);
    const a = gauge.series(["k"], ["a"]);
    const b = gauge.series(["k"], ["b"]);
    a.set(5);
    a.set(6);
    b.set(1);
    expect(read({ mixerless_overflow: "true" })).toBe(7);
    store.configure("open", { budget: 2 });
    a.set(2);
    expect(read({ k: "a" })).toBe(2);
    expect(read({ mixerless_overflow: "true" })).toBe(1);
  });

  it("forgets a level that expired with the overflow series", () => {
    const { clock, gauge, read } = setup(0);
    const a = gauge.series(["k"], ["a"]);
    a.set(5);
    clock.advance(60_000);
    expect(a.value).toBe(0);
    a.set(6);
    expect(read({ mixerless_overflow: "true" })).toBe(6);
  });
});
