import { VirtualClock } from "@mixerless/clock";
import { describe, expect, it } from "vitest";
import { createJoinKey } from "./join-token.ts";
import { checkOperator, signOperator } from "./operator-proof.ts";

const clock = new VirtualClock();
const key = createJoinKey();
const proof = signOperator(key, "roots add", clock);
const refusal = expect.stringContaining("Only who can read the authority's folder");

function refused(action: string, given: string, by = key): unknown {
  try {
    checkOperator(by, action, given, clock);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

describe("the proof of an operator", () => {
  it("is good for one action and a minute", () => {
    expect(refused("roots add", proof)).toBeNull();
    expect(refused("roots drop", proof)).toEqual(refusal);
    expect(refused("roots add", proof, createJoinKey())).toEqual(refusal);
    clock.advance(60_000);
    expect(refused("roots add", proof)).toEqual(refusal);
  });

  it.each(["", ".", "a.b", `${proof}.x`, `9${proof}`, `${"9".repeat(400)}.${proof.split(".")[1]}`])(
    "is not %j",
    (given) => {
      expect(refused("roots add", given)).toEqual(refusal);
    },
  );
});
