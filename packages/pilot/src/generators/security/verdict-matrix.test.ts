import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AROUND, calls, policies } from "./testing/arbitrary-calls.ts";
import { judge } from "./testing/istio-model.ts";
import { translatedVerdicts } from "./testing/translated-verdict.ts";

/** Sets of policies, each judged on several calls. */
const SETS = Number(process.env.MIXERLESS_POLICY_SETS ?? 200);
const CALLS = 16;

describe("policies, translated and evaluated,", () => {
  it(`say what Istio says that they mean, in ${SETS * CALLS} cases made up`, () => {
    const seen = { allow: 0, deny: 0 };
    const several = fc.array(calls, { minLength: CALLS, maxLength: CALLS });
    fc.assert(
      fc.property(policies, several, (written, made) => {
        const verdicts = made.map((call) => judge(written, call, AROUND));
        for (const verdict of verdicts) seen[verdict]++;
        expect(translatedVerdicts(written, made, AROUND)).toEqual(verdicts);
      }),
      { numRuns: SETS },
    );
    // A matrix in which one verdict hardly occurs would prove little.
    expect(Math.min(seen.allow, seen.deny)).toBeGreaterThan((SETS * CALLS) / 10);
  }, 600_000);
});
