import { describe, expect, it } from "vitest";
import { DeadlineWheel } from "./deadline-wheel.ts";
import { VirtualClock } from "./virtual-clock.ts";

describe("DeadlineWheel", () => {
  it("fires no deadline early and none more than one tick late", () => {
    const clock = new VirtualClock();
    const wheel = new DeadlineWheel(clock, 100);
    const late: number[] = [];
    for (let delay = 0; delay < 1000; delay += 7) {
      const due = clock.monotonic() + delay;
      wheel.after(delay, () => late.push(clock.monotonic() - due));
      clock.advance(3);
    }
    clock.advance(2000);
    expect(late).toHaveLength(143);
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...late)).toBeLessThanOrEqual(100);
  });

  it("does not fire a cancelled deadline, also when it is cancelled by one of the same tick", () => {
    const clock = new VirtualClock();
    const wheel = new DeadlineWheel(clock, 10);
    const fired: string[] = [];
    wheel.after(5, () => fired.push("never")).cancel();
    const second = { cancel: () => {} };
    wheel.after(5, () => second.cancel());
    const deadline = wheel.after(5, () => fired.push("cancelled by its neighbour"));
    second.cancel = () => deadline.cancel();
    clock.advance(100);
    expect(fired).toEqual([]);
  });

  it("keeps no timer while nothing waits", () => {
    const clock = new VirtualClock();
    const wheel = new DeadlineWheel(clock, 10);
    wheel.after(5, () => {});
    expect(clock.pending).toBe(1);
    clock.advance(50);
    expect(clock.pending).toBe(0);
  });

  it("fires everything that is overdue after a long stall, in order", () => {
    const clock = new VirtualClock();
    const wheel = new DeadlineWheel(clock, 10);
    const order: number[] = [];
    for (const delay of [900, 50, 400]) wheel.after(delay, () => order.push(delay));
    clock.advance(5000);
    expect(order).toEqual([50, 400, 900]);
  });
});
