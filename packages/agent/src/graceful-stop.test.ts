import { VirtualClock } from "@mixerless/clock";
import { describe, expect, it } from "vitest";
import { GracefulStop } from "./graceful-stop.ts";
import { readStopSettings } from "./stop-settings.ts";

function setUp(environment: Record<string, string> = {}) {
  const clock = new VirtualClock();
  const drains: boolean[] = [];
  const state = { connections: 0, ended: false };
  const stop = new GracefulStop({
    clock,
    log: () => {},
    settings: readStopSettings(environment),
    drain: (skipExit) => drains.push(skipExit),
    activeConnections: () => state.connections,
  });
  const begin = () =>
    void stop.wait().then(() => {
      state.ended = true;
    });
  return { clock, drains, state, stop, begin };
}

describe("a sidecar that is asked to stop", () => {
  it("drains for five seconds, whoever is still connected", async () => {
    const { clock, drains, state, begin } = setUp();
    state.connections = 3;
    begin();
    expect(drains).toEqual([false]);
    await clock.advanceAsync(4999);
    expect(state.ended).toBe(false);
    await clock.advanceAsync(1);
    expect(state.ended).toBe(true);
  });

  it("drains for TERMINATION_DRAIN_DURATION_SECONDS", async () => {
    const { clock, state, begin } = setUp({ TERMINATION_DRAIN_DURATION_SECONDS: "20" });
    begin();
    await clock.advanceAsync(19_999);
    expect(state.ended).toBe(false);
    await clock.advanceAsync(1);
    expect(state.ended).toBe(true);
  });

  it("waits with EXIT_ON_ZERO_ACTIVE_CONNECTIONS for the last connection, but MINIMUM_DRAIN_DURATION at least", async () => {
    const { clock, drains, state, begin } = setUp({
      EXIT_ON_ZERO_ACTIVE_CONNECTIONS: "true",
      MINIMUM_DRAIN_DURATION: "2s",
    });
    begin();
    expect(drains).toEqual([true]);
    await clock.advanceAsync(1999);
    expect(state.ended).toBe(false);
    state.connections = 1;
    await clock.advanceAsync(60_000, 500);
    expect(state.ended).toBe(false);
    state.connections = 0;
    await clock.advanceAsync(1000, 500);
    expect(state.ended).toBe(true);
  });

  it("does not begin the drain anew when a preStop hook has drained it before", async () => {
    const { clock, drains, state, stop, begin } = setUp();
    stop.drainNow();
    expect(stop.begun).toBe(true);
    begin();
    expect(drains).toEqual([true]);
    await clock.advanceAsync(5000);
    expect(state.ended).toBe(true);
  });

  it.each([
    ["TERMINATION_DRAIN_DURATION_SECONDS", "5s", "a whole number of seconds"],
    ["TERMINATION_DRAIN_DURATION_SECONDS", "-1", "a whole number of seconds"],
    ["TERMINATION_DRAIN_DURATION_SECONDS", "99999999", "up to 86400"],
    ["MINIMUM_DRAIN_DURATION", "5", "a number with a unit"],
    ["EXIT_ON_ZERO_ACTIVE_CONNECTIONS", "yes", "true or false"],
  ])("refuses %s=%s with name and cure", (name, value, cure) => {
    expect(() => readStopSettings({ [name]: value })).toThrow(`${name} is "${value}"; give `);
    expect(() => readStopSettings({ [name]: value })).toThrow(cure);
  });
});
