import { VirtualClock } from "@mixerless/clock";
import { describe, expect, it } from "vitest";
import { PluginLines } from "./plugin-lines.ts";

describe("the last lines of a plugin's log", () => {
  it("are kept apart from others', numbered, with time and level", () => {
    const clock = new VirtualClock();
    const lines = new PluginLines(clock, 7);
    lines.add("a", 2, "one");
    clock.advance(5);
    lines.add("b", 4, "other");
    lines.add("a", 3, "two");
    const start = lines.of("a")?.[0]?.time ?? 0;
    expect(lines.of("a")).toEqual([
      { number: 1, process: 7, time: start, level: 2, text: "one" },
      { number: 2, process: 7, time: start + 5, level: 3, text: "two" },
    ]);
    expect(lines.of("c")).toBeNull();
  });

  it("are bounded in number, in size and in plugins: the oldest go", () => {
    const lines = new PluginLines(new VirtualClock(), 1);
    for (let i = 1; i <= 300; i++) lines.add("many", 2, String(i));
    expect(lines.of("many")?.map(({ number }) => number)).toEqual(Array.from({ length: 200 }, (_, i) => i + 101));
    for (let i = 0; i < 100; i++) lines.add("long", 2, "x".repeat(100_000));
    const long = lines.of("long") ?? [];
    expect(long.at(-1)?.text).toBe(`${"x".repeat(2048)} … (cut)`);
    expect(long.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThanOrEqual(65_536);
    for (let i = 0; i < 31; i++) lines.add(`p${i}`, 2, "");
    expect([lines.of("many"), lines.of("long")?.length]).toEqual([null, long.length]);
  });
});
