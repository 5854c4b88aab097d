import { VirtualClock } from "@mixerless/clock";
import { describe, expect, it } from "vitest";
import { Debounce } from "./debounce.ts";

describe("Debounce", () => {
  it("makes one call of a burst, after the quiet time", () => {
    const clock = new VirtualClock();
    const calls: number[] = [];
    const debounce = new Debounce(clock, 100, 10_000, () => calls.push(clock.monotonic()));
    for (let i = 0; i < 5; i++) {
      debounce.trigger();
      clock.advance(50);
    }
    expect(calls).toEqual([]);
    clock.advance(60);
    expect(calls).toEqual([300]);
  });

  it("does not wait longer than the maximum while events keep coming", () => {
    const clock = new VirtualClock();
    const calls: number[] = [];
    const debounce = new Debounce(clock, 50, 100, () => calls.push(clock.monotonic()));
    for (let i = 0; i < 20; i++) {
      debounce.trigger();
      clock.advance(25);
    }
    expect(calls).toEqual([100, 200, 300, 400, 500]);
  });
});
