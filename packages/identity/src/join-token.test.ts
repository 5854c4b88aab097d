import { VirtualClock } from "@mixerless/clock";
import { beforeEach, describe, expect, it } from "vitest";
import { createJoinKey, JoinTokens, readJoinToken, signJoinToken } from "./join-token.ts";

const CLAIMS = { namespace: "default", serviceAccount: "bookinfo-reviews", workload: "reviews-v1" };
const HOUR = 3_600_000;

describe("a join token", () => {
  let clock: VirtualClock;
  let key: Uint8Array;
  let token: string;

  beforeEach(() => {
    clock = new VirtualClock();
    key = createJoinKey();
    token = signJoinToken(key, CLAIMS, clock, HOUR);
  });

  it("says which workload its bearer is", () => {
    expect(readJoinToken(key, `${token}\n`, clock)).toMatchObject(CLAIMS);
  });

  it("is taken once", async () => {
    const tokens = new JoinTokens(key, clock);
    expect(await tokens.redeem(token)).toMatchObject(CLAIMS);
    await expect(tokens.redeem(token)).rejects.toThrow("has been used before");
    expect(await tokens.redeem(signJoinToken(key, CLAIMS, clock, HOUR))).toMatchObject(CLAIMS);
  });

  it("is taken once of two at the same time", async () => {
    const tokens = new JoinTokens(key, clock);
    const [first, second] = await Promise.allSettled([tokens.redeem(token), tokens.redeem(token)]);
    expect([first?.status, second?.status]).toEqual(["fulfilled", "rejected"]);
  });

  it("can be looked at as long as it was not taken", async () => {
    const tokens = new JoinTokens(key, clock);
    expect(tokens.peek(token)).toMatchObject(CLAIMS);
    expect(await tokens.redeem(token)).toMatchObject(CLAIMS);
    expect(() => tokens.peek(token)).toThrow("has been used before");
  });

  it("expires", () => {
    clock.advance(HOUR - 1);
    expect(readJoinToken(key, token, clock)).toMatchObject(CLAIMS);
    clock.advance(1);
    expect(() => readJoinToken(key, token, clock)).toThrow("has expired");
  });

  it("of another mesh is refused", () => {
    expect(() => readJoinToken(createJoinKey(), token, clock)).toThrow("was not signed by this mesh");
  });

  it("is refused when any of its characters is another, and the error does not show it", () => {
    for (let at = 0; at < token.length; at++) {
      // The last character of base64url carries bits that mean nothing.
      if (at === token.length - 1) continue;
      const other = token[at] === "A" ? "B" : "A";
      const forged = token.slice(0, at) + other + token.slice(at + 1);
      expect(() => readJoinToken(key, forged, clock)).toThrow(/is no join token|was not signed by this mesh/);
    }
    expect(() => readJoinToken(createJoinKey(), token, clock)).not.toThrow(token.slice(-20));
  });

  it.each(["", ".", "mixerless.v1.", "mixerless.v1..", "a.b.c", "x".repeat(5000)])("is not %j", (text) => {
    expect(() => readJoinToken(key, text, clock)).toThrow(/is no join token|was not signed by this mesh/);
  });

  it("cannot name an identity that is none", () => {
    const tricky = signJoinToken(key, { ...CLAIMS, serviceAccount: "a/../b" }, clock, HOUR);
    expect(() => readJoinToken(key, tricky, clock)).toThrow("names no workload identity");
  });
});
