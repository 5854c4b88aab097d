import { VirtualClock } from "@mixerless/clock";
import { beforeEach, describe, expect, it } from "vitest";
import type { IncomingConnection } from "../transport/incoming-connection.ts";
import { InspectionGate } from "./inspection-gate.ts";
import { createListenerStats, type ListenerStats } from "./listener-stats.ts";

let clock: VirtualClock;
let stats: ListenerStats;
let gate: InspectionGate;
let ended: string[];

beforeEach(() => {
  clock = new VirtualClock(0);
  stats = createListenerStats();
  gate = new InspectionGate(clock, stats, { waiting: 3, bytes: 1000 });
  ended = [];
});

const enter = (name: string) => gate.enter({ destroy: () => ended.push(name) } as unknown as IncomingConnection);

describe("connections of which nothing is known yet", () => {
  it("are so many at most: the one that has waited longest makes room", () => {
    for (const name of ["a", "b", "c"]) enter(name);
    expect(ended).toEqual([]);
    enter("d");
    enter("e");
    expect([ended, stats.preCxActive, stats.preCxOverflow]).toEqual([["a", "b"], 3, 2]);
  });

  it("that are known make room by themselves", () => {
    const first = enter("a");
    enter("b");
    enter("c");
    first.leave();
    first.leave();
    enter("d");
    expect([ended, stats.preCxActive]).toEqual([[], 3]);
  });

  it("hold so many bytes at most, all together", () => {
    const [a, b] = [enter("a"), enter("b")];
    a?.incomplete(600);
    b?.incomplete(300);
    expect(ended).toEqual([]);
    b?.incomplete(300);
    expect(ended).toEqual(["a"]);
    enter("c").incomplete(400);
    expect(ended).toEqual(["a"]);
  });

  it("may be silent for ever, but must end a hello that they have begun", () => {
    enter("silent");
    const slow = enter("slow");
    for (let second = 0; second < 9; second++) {
      clock.advance(1000);
      slow.incomplete(1);
    }
    expect(ended).toEqual([]);
    clock.advance(3000);
    expect([ended, stats.preCxTimeout, stats.preCxActive]).toEqual([["slow"], 1, 1]);
    clock.advance(1_000_000);
    expect(ended).toEqual(["slow"]);
  });
});
