import { expect, test } from "vitest";
import { nearestName } from "./nearest-name.ts";

test.each([
  ["wieght", "weight"],
  ["Host", "host"],
  ["hosts_", "hosts"],
  ["destinaton", "destination"],
])("%s is probably %s", (written, meant) => {
  expect(nearestName(written, ["host", "hosts", "weight", "destination"])).toBe(meant);
});

test("nothing is near enough", () => {
  expect(nearestName("banana", ["host", "weight"])).toBeUndefined();
  expect(nearestName("x".repeat(1_000_000), ["x"])).toBeUndefined();
});
