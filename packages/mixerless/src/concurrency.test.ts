import { expect, it } from "vitest";
import { concurrency, workersOf } from "./concurrency.ts";

it("takes a whole number of processes", () => {
  expect(["1", "2", "64"].map(concurrency)).toEqual([1, 2, 64]);
});

it.each(["0", "1.5", "65", "many", "-2"])("refuses %s", (text) => {
  expect(() => concurrency(text)).toThrow("Give a number of processes, 1 to 64");
});

it("has no workers for one process", () => {
  expect(workersOf(1)).toBeUndefined();
});
