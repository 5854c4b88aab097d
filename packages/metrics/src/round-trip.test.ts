import { VirtualClock } from "@mixerless/clock";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { labelText } from "./byte-string.ts";
import { MetricStore } from "./metric-store.ts";
import { OPENMETRICS_FORMAT, TEXT_FORMAT } from "./negotiate.ts";
import { parseExposition } from "./parse-exposition.ts";
import { findSamples } from "./samples.ts";
import { expositionTotals, familyTotals } from "./totals.ts";

const hostileValue = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
  fc.string({ unit: fc.constantFrom("\\", '"', "\n", "n", "}", ",", "=", "\x10", "\x0e", "é", "東"), maxLength: 12 }),
);
const styles = [
  { format: TEXT_FORMAT },
  { format: OPENMETRICS_FORMAT },
  { format: TEXT_FORMAT, envoyStyle: true },
  { format: OPENMETRICS_FORMAT, plainBounds: true },
];

describe("an exposition", () => {
  it("gives back hostile label values as the rule for them says", () => {
    fc.assert(
      fc.property(
        fc.array(hostileValue, { minLength: 1, maxLength: 5 }),
        fc.constantFrom(...styles),
        (values, style) => {
          const store = new MetricStore({ clock: new VirtualClock() });
          const names = values.map((_, i) => `l${i}`);
          store.counter({ name: "c_total" }).series(names, values).add(1);
          const parsed = parseExposition(store.text(style));
          if ("faults" in parsed) throw new Error(JSON.stringify(parsed.faults));
          const [sample] = findSamples(parsed.samples, "c_total");
          expect(Object.entries(sample?.labels ?? {})).toEqual(values.map((value, i) => [`l${i}`, labelText(value)]));
          const pairs = [...store.counter({ name: "c_total" }).entries()][0]?.labels;
          expect(pairs).toEqual(Object.entries(sample?.labels ?? {}));
        },
      ),
    );
  });

  it("has the totals of the store in every format", () => {
    const series = fc.record({
      a: hostileValue,
      b: fc.constantFrom("", "x"),
      values: fc.array(fc.double({ min: 0, max: 1e300 }), { maxLength: 5 }),
    });
    const buckets = fc
      .uniqueArray(
        fc.double({ min: 0, max: 1e9, noNaN: true }).map((bound) => bound + 0),
        { maxLength: 6 },
      )
      .map((bounds) => bounds.sort((a, b) => a - b));
    fc.assert(
      fc.property(fc.array(series, { maxLength: 8 }), buckets, fc.constantFrom(...styles), (all, bounds, style) => {
        const store = new MetricStore({ clock: new VirtualClock() });
        const histogram = store.histogram({ name: "h", buckets: bounds });
        const counter = store.counter({ name: "c_total" });
        for (const { a, b, values } of all) {
          for (const value of values) {
            histogram.series(["a", "b"], [a, b]).record(value);
            counter.series(["b", "a"], [b, a]).add(value);
          }
        }
        const parsed = parseExposition(store.text(style));
        if ("faults" in parsed) throw new Error(JSON.stringify(parsed.faults));
        expect(expositionTotals(parsed)).toEqual(familyTotals(store.families()));
      }),
    );
  });
});
