import { VirtualClock } from "@mixerless/clock";
import { beforeEach, describe, expect, it } from "vitest";
import { type AuthorityState, RotatingRoot, type RotationOptions } from "./rotating-root.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let clock: VirtualClock;
let saved: AuthorityState[];
let changes: number;
let options: RotationOptions;

beforeEach(() => {
  clock = new VirtualClock();
  saved = [];
  changes = 0;
  options = {
    clock,
    trustDomain: "cluster.local",
    lifetime: 100 * DAY,
    overlap: HOUR,
    maxLeafLifetime: DAY,
    save: async (state) => {
      saved.push(state);
    },
    onChange: () => {
      changes++;
    },
  };
});

const name = (root: RotatingRoot) => root.signer.facts.fingerprint;

describe("a root that follows itself", () => {
  it("is made once, kept before it signs, and found again", async () => {
    const root = await RotatingRoot.open(null, options);
    expect([saved.length, root.roots.length, changes]).toEqual([1, 1, 0]);
    const again = await RotatingRoot.open(saved.at(-1) ?? null, options);
    expect([name(again), saved.length]).toEqual([name(root), 1]);
  });

  it("is trusted before it signs, and the old one as long as anything that it signed can be valid", async () => {
    const root = await RotatingRoot.open(null, options);
    const first = name(root);
    clock.advance(80 * DAY);
    await root.check();
    expect([root.roots.length, name(root) === first, changes]).toEqual([1, true, 0]);
    clock.advance(1000);
    await root.check();
    expect([root.roots.length, name(root) === first, changes]).toEqual([2, true, 1]);
    clock.advance(HOUR);
    await root.check();
    expect([root.roots.length, name(root) === first, changes]).toEqual([2, false, 2]);
    clock.advance(DAY - 1);
    await root.check();
    expect(root.roots.length).toBe(2);
    clock.advance(1);
    await root.check();
    expect([root.roots.length, changes]).toEqual([1, 3]);
  });

  it("can be changed by hand, and a restart in the middle of it goes on where it was", async () => {
    const root = await RotatingRoot.open(null, options);
    const first = name(root);
    await root.rotate();
    const again = await RotatingRoot.open(saved.at(-1) ?? null, options);
    expect([again.roots.length, name(again) === first]).toEqual([2, true]);
    clock.advance(HOUR);
    expect(name(again) === first).toBe(false);
  });

  it("is made anew when it is found expired", async () => {
    const root = await RotatingRoot.open(null, options);
    const first = name(root);
    clock.advance(101 * DAY);
    const again = await RotatingRoot.open(saved.at(-1) ?? null, options);
    expect([again.roots.length, name(again) === first]).toEqual([1, false]);
  });

  it("is not used when it could not be kept", async () => {
    const root = await RotatingRoot.open(null, options);
    options = { ...options, save: () => Promise.reject(new Error("disk full")) };
    const failing = await RotatingRoot.open(saved.at(-1) ?? null, options);
    await expect(failing.rotate()).rejects.toThrow("disk full");
    expect([failing.roots, name(failing)]).toEqual([root.roots, name(root)]);
  });
});
