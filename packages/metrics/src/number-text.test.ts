import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatCanonical, formatEnvoy, formatValue } from "./number-text.ts";

describe("numbers", () => {
  it("read back as the same double in every style", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        // The sign of zero has no meaning in an exposition.
        for (const format of [formatValue, formatCanonical, formatEnvoy])
          expect(Number(format(value)) + 0).toBe(value + 0);
      }),
    );
  });

  it.each([
    [Number.POSITIVE_INFINITY, "+Inf"],
    [Number.NEGATIVE_INFINITY, "-Inf"],
    [Number.NaN, "NaN"],
  ])("writes %d as %s", (value, text) => {
    for (const format of [formatValue, formatCanonical, formatEnvoy]) expect(format(value)).toBe(text);
  });

  it.each([
    [1.05, "1.0500000000000000444089209850063"],
    [0.1, "0.10000000000000000555111512312578"],
    [0.5, "0.5"],
    [0, "0"],
    [100, "100"],
    [3_600_000, "3600000"],
    [-2.5, "-2.5"],
    [2 ** 60, "1152921504606846976"],
    [1e31, "9999999999999999635896294965248"],
    [1e32, "1.0000000000000000536616220439347e+32"],
    [0.0001, "0.00010000000000000000479217360238593"],
    [0.00001, "1.0000000000000000818030539140313e-05"],
    [2 ** -20, "9.5367431640625e-07"],
  ])("writes %d as Envoy does", (value, text) => {
    expect(formatEnvoy(value)).toBe(text);
  });

  it.each([
    [1, "1.0"],
    [0.5, "0.5"],
    [250, "250.0"],
    [600_000, "600000.0"],
    [1_800_000, "1.8e+06"],
    [1e6, "1e+06"],
    [0.0001, "0.0001"],
    [0.00001, "1e-05"],
    [0, "0.0"],
  ])("writes the bound %d canonically", (value, text) => {
    expect(formatCanonical(value)).toBe(text);
  });
});
