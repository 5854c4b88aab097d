import { describe, expect, it } from "vitest";
import { type Check, doubtful, failed, OK, renderCheck, runChecks, type Verdict } from "./check.ts";

const check = (what: string, verdict: Verdict | Error, fatal = false): Check => ({
  ...{ section: "here", what, fatal },
  run: async () => {
    if (verdict instanceof Error) throw verdict;
    return verdict;
  },
});

describe("checks", () => {
  it("run in order and are told one by one; a thrown error is a failure", async () => {
    const told: string[] = [];
    const results = await runChecks(
      [check("a", OK), check("b", doubtful("so so", "look")), check("c", new Error("broken")), check("d", OK)],
      ({ what, state }) => told.push(`${what} ${state}`),
    );
    expect(told).toEqual(["a ok", "b warning", "c failed", "d ok"]);
    expect(results[2]?.detail).toBe("broken");
  });

  it("end where what follows makes no sense", async () => {
    const results = await runChecks([check("a", failed("no", "do"), true), check("b", OK)], () => {});
    expect(results.map(({ what }) => what)).toEqual(["a"]);
  });

  it("show their section once, and what to do", () => {
    const result = {
      section: "data plane",
      what: "ready",
      state: "failed",
      detail: "x: 503\ny: 503",
      hint: "wait",
    } as const;
    expect(renderCheck(result, "")).toBe("data plane\n----------\n× ready\n    x: 503\n    y: 503\n    hint: wait\n");
    expect(renderCheck({ ...result, state: "ok", detail: "", hint: "" }, "data plane")).toBe("√ ready\n");
  });
});
