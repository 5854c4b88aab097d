import { expect, it } from "vitest";
import { expectation } from "./expectation.ts";
import { histogramQuantile, irateOf, rateOf } from "./histogram-quantile.ts";

const INFINITE = Number.POSITIVE_INFINITY;
const BUCKETS = [
  { bound: 10, count: 4 },
  { bound: 20, count: 4 },
  { bound: 50, count: 9 },
  { bound: INFINITE, count: 10 },
];

it.each([
  ["from nothing in the first bucket", 0.2, 5],
  ["at a bound", 0.4, 10],
  ["between the bounds of a bucket", 0.5, 26],
  ["at the highest finite bound for what is above it", 0.99, 50],
])("finds a quantile %s", (_, quantile, value) => {
  expect(histogramQuantile(quantile, [...BUCKETS].reverse())).toBeCloseTo(value, 9);
});

it("finds no quantile without observations and without a bucket for everything", () => {
  expect(
    histogramQuantile(
      0.5,
      BUCKETS.map(({ bound }) => ({ bound, count: 0 })),
    ),
  ).toBeNaN();
  expect(histogramQuantile(0.5, BUCKETS.slice(0, 3))).toBeNaN();
});

it("takes the last two points for irate", () => {
  expect(
    irateOf([
      [0, 0],
      [5, 100],
      [10, 110],
    ]),
  ).toBe(2);
  expect(irateOf([[0, 0]])).toBeUndefined();
});

it("extends a rate to the ends of the window, but not to before the counter was nothing", () => {
  // From 2 to 17 of a window of 20: 300 becomes 400 by the 2 s before and the 3 s after.
  expect(
    rateOf(
      [
        [2, 1000],
        [7, 1100],
        [12, 1200],
        [17, 1300],
      ],
      20,
      20,
    ),
  ).toBeCloseTo(20, 9);
  // A counter that was 20 at a rate of 20 began 1 s before: 300 becomes 380.
  expect(
    rateOf(
      [
        [2, 20],
        [7, 120],
        [12, 220],
        [17, 320],
      ],
      20,
      20,
    ),
  ).toBeCloseTo(19, 9);
});

it("works a quantile out of the sums of buckets", () => {
  const series = () =>
    ["a", "b"].flatMap((pod) =>
      BUCKETS.map(({ bound, count }) => ({
        labels: { pod, le: bound === INFINITE ? "+Inf" : String(bound) },
        low: count,
        high: count,
      })),
    );
  const [found, ...others] = expectation("histogram_quantile(0.5, sum(irate(x_bucket[20s])) by (le)) / 1000", {
    series,
  });
  expect(others).toEqual([]);
  expect(found?.labels).toEqual({});
  expect(found?.low).toBeCloseTo(0.026, 9);
  expect(found?.high).toBeCloseTo(0.026, 9);
});
