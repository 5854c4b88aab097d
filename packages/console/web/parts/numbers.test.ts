import { describe, expect, it } from "vitest";
import { bytesPerSecond, milliseconds, rate, share } from "./numbers.ts";

describe("numbers", () => {
  it("have as many digits as people need", () => {
    expect([0.066, 4.25, 42.36, 1234.5].map(rate)).toEqual(["0.07", "4.25", "42.4", "1235"]);
    expect([null, 0.94, 44.1, 1710].map(milliseconds)).toEqual(["–", "0.9 ms", "44 ms", "1.71 s"]);
    expect([0, 5, 15_600, 2.5e6].map(bytesPerSecond)).toEqual(["–", "5 B/s", "15.6 KB/s", "2.5 MB/s"]);
  });

  it("never call something whole that is not", () => {
    expect([null, 1, 0.99999, 0.9, 0].map(share)).toEqual(["–", "100 %", "99.999 %", "90 %", "0 %"]);
  });
});
