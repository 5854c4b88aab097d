import { expect, test } from "vitest";
import { parseDuration } from "./duration.ts";

test.each([
  ["1s", 1_000_000_000n],
  ["1h2m3.5s", 3_723_500_000_000n],
  [".5s", 500_000_000n],
  ["1.000000001s", 1_000_000_001n],
  ["100us", 100_000n],
  ["100µs", 100_000n],
  ["0", 0n],
  ["-2ms", -2_000_000n],
])("%s", (text, nanoseconds) => expect(parseDuration(text)).toBe(nanoseconds));

test.each(["", "1", "s", ".s", "1d", "1s ", "1 s", "--1s", "1e3s", `${"9".repeat(70)}s`])("%j is none", (text) => {
  expect(parseDuration(text)).toBeUndefined();
});
