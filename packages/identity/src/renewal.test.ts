import { expect, it } from "vitest";
import { renewalDelay } from "./renewal.ts";

const HOUR = 3_600_000;
const LIFE = { notBefore: 0, notAfter: 24 * HOUR };

it("renews at half of the life, give or take one per cent of it", () => {
  expect(renewalDelay(LIFE, 0, 0.5)).toBe(12 * HOUR);
  expect(renewalDelay(LIFE, 0, 0)).toBeCloseTo(12.24 * HOUR);
  expect(renewalDelay(LIFE, 0, 0.999999)).toBeCloseTo(11.76 * HOUR, -2);
  expect(renewalDelay(LIFE, 6 * HOUR, 0.5)).toBe(6 * HOUR);
});

it("renews a late certificate soon, but not in a tight loop", () => {
  expect(renewalDelay(LIFE, 13 * HOUR, 0.5)).toBe(1000);
  expect(renewalDelay(LIFE, 100 * HOUR, 0.5)).toBe(1000);
});
