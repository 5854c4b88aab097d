import { setImmediate as turn } from "node:timers/promises";
import { VirtualClock } from "@mixerless/clock";
import type { PluginReport } from "@mixerless/proxy";
import { describe, expect, it } from "vitest";
import { PluginReporter } from "./plugin-reporter.ts";

const plugin = (own: Partial<PluginReport> = {}): PluginReport => ({
  ...{ name: "ns.p", place: "l/c/f", state: "running", digest: "d1", refusedDigest: "", since: 1, lastError: null },
  ...{ source: "", version: "", calls: 0, traps: 0, microsecondsPerCall: 0, memory: 0 },
  ...{ streams: 0, failedStreams: 0, bypassedStreams: 0 },
  ...own,
});

function setUp() {
  const clock = new VirtualClock();
  const told: (readonly PluginReport[])[] = [];
  const state = { plugins: [] as PluginReport[], answers: true, opened: 0, closed: 0 };
  const reporter = new PluginReporter({
    clock,
    look: () => (state.answers ? Promise.resolve(state.plugins) : Promise.reject(new Error("no worker"))),
    open: async () => {
      state.opened++;
      return { report: (reports) => told.push(reports), close: () => state.closed++ };
    },
  });
  const looks = async (count: number) => {
    for (let i = 0; i < count; i++) {
      clock.advance(2000);
      await turn();
    }
  };
  return { told, state, reporter, looks };
}

describe("what an agent tells of plugins", () => {
  it("is nothing, by no stream, where there is none", async () => {
    const { state, told, looks } = setUp();
    await looks(20);
    expect([state.opened, told]).toEqual([0, []]);
  });

  it("is a change of state at once, counts now and then, and never the same twice", async () => {
    const { state, told, looks } = setUp();
    state.plugins = [plugin()];
    await looks(1);
    expect(told).toEqual([[plugin()]]);
    await looks(20);
    expect(told).toHaveLength(1);
    state.plugins = [plugin({ calls: 1 })];
    await looks(1);
    expect(told.at(-1)).toEqual([plugin({ calls: 1 })]);
    state.plugins = [plugin({ calls: 2 })];
    await looks(4);
    expect(told).toHaveLength(2);
    await looks(1);
    expect(told.at(-1)).toEqual([plugin({ calls: 2 })]);
    state.plugins = [plugin({ calls: 3, state: "failing" })];
    await looks(1);
    expect(told.at(-1)).toEqual([plugin({ calls: 3, state: "failing" })]);
    expect(state.opened).toBe(1);
  });

  it("is also that the last one is gone; workers that don't answer change nothing", async () => {
    const { state, told, looks } = setUp();
    state.plugins = [plugin()];
    await looks(1);
    state.answers = false;
    await looks(3);
    expect(told).toHaveLength(1);
    state.answers = true;
    state.plugins = [];
    await looks(1);
    expect(told.at(-1)).toEqual([]);
  });

  it("ends with the agent", async () => {
    const { state, told, reporter, looks } = setUp();
    state.plugins = [plugin()];
    await looks(1);
    reporter.close();
    state.plugins = [];
    await looks(10);
    expect([told.length, state.closed]).toEqual([1, 1]);
  });
});
