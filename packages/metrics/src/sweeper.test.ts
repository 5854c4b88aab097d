import { VirtualClock } from "@mixerless/clock";
import { describe, expect, it } from "vitest";
import { CoarseTime } from "./coarse-time.ts";
import { LabelSet } from "./label-set.ts";
import { LabelShapes } from "./label-shape.ts";
import { Series } from "./series.ts";
import { Sweeper } from "./sweeper.ts";

describe("the sweeper", () => {
  it("finishes a round that is longer than a tick before it begins the next", () => {
    const clock = new VirtualClock();
    const time = new CoarseTime(clock);
    const labels = new LabelSet(new LabelShapes().find([], false), "");
    const idle = new Set(Array.from({ length: 120_000 }, () => new Series(labels, null, 1)));
    let rounds = 0;
    const family = {
      idleTicks: 1,
      end: (series: Series) => idle.delete(series),
      live: () => {
        rounds++;
        return idle;
      },
    };
    const sweeper = new Sweeper(clock, time, () => [family]);
    // The first round that finds something idle begins at 2 s and takes 120,000 / 512 × 5 ms = 1.17 s.
    clock.advance(3100);
    expect(idle.size).toBeGreaterThan(0);
    expect(rounds).toBe(2);
    expect(clock.pending).toBe(2);
    clock.advance(400);
    expect(idle.size).toBe(0);
    expect(clock.pending).toBe(1);
    sweeper.close();
    expect(clock.pending).toBe(0);
  });
});
