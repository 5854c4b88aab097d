import { X509Certificate } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VirtualClock } from "@mixerless/clock";
import { signOperator } from "@mixerless/identity";
import { AuthorityFolder, createRoot, type Issued, readSigner } from "@mixerless/identity/authority";
import { type ProxyConnection, TypeUrl } from "@mixerless/xds";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { rootsVersion } from "./identified-source.ts";
import { RootChange, type Stage } from "./root-change.ts";

const HOUR = 3_600_000;
const REVIEWS = "spiffe://cluster.local/ns/default/sa/reviews";

let folder: string;
let clock: VirtualClock;
let files: AuthorityFolder;
let held: Issued[];
let confirmed: string;
/** What the proxy has shown. */
let shown: { serial: string; notAfter: number; raw: Uint8Array } | null;
let change: RootChange;

/** A proxy that has confirmed the roots of {@link confirmed}. */
const proxy = {
  node: { id: "sidecar~10.0.0.1~reviews-v1.default~default.svc.cluster.local" },
  get identity() {
    return shown === null ? null : { names: [REVIEWS], certificate: shown };
  },
  status: () => ({ watches: [{ typeUrl: TypeUrl.proxyConfig }] }),
  resources: () => [{ name: "default", version: confirmed, state: "acked", nack: null }],
} as unknown as ProxyConnection;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mixerless-roots-"));
  clock = new VirtualClock();
  held = [];
  shown = null;
  await start();
});

async function start(): Promise<void> {
  files = await AuthorityFolder.open({ folder, clock, trustDomain: "cluster.local", log: () => {} });
  confirmed = rootsVersion(files.roots);
  change = new RootChange({
    ...{ files, clock, log: () => {}, connections: () => [proxy] },
    issued: {
      under: (root) => held.filter((one) => one.root === root),
      expiryOf: (serial) => (serial === "in the books" ? clock.now() : null),
    },
  });
}

afterEach(() => rm(folder, { recursive: true, force: true }));

const take = (stage: Stage, force = false) =>
  change.take(stage, force, signOperator(files.joinKey, `roots ${stage}${force ? " force" : ""}`, clock));
const roles = () => change.status().roots.map(({ role }) => role);
const confirm = () => {
  confirmed = rootsVersion(files.roots);
};

describe("a change of roots", () => {
  it("is added, issued from when all proxies trust it, and alone when nobody needs the old one", async () => {
    const first = files.signer.facts.fingerprint;
    held = [{ serial: "01", identity: REVIEWS, root: first, notAfter: clock.now() + HOUR }];
    await take("add");
    expect([roles(), files.signer.facts.fingerprint]).toEqual([["signs", "next"], first]);
    await expect(take("issue")).rejects.toThrow("reviews-v1.default has not confirmed the new roots");
    confirm();
    await take("issue");
    expect(roles()).toEqual(["old", "signs"]);
    expect(files.signer.facts.fingerprint).not.toBe(first);
    confirm();
    await expect(take("drop")).rejects.toThrow(`${REVIEWS} has a certificate under the old root until`);
    held = [];
    expect(await take("drop")).toMatchObject({ next: null, waiting: [], roots: [{ role: "signs" }] });
    expect(files.roots).toEqual([files.signer.root]);
  });

  it.each<[Stage[], Stage, string]>([
    [[], "issue", 'Next comes "add"'],
    [[], "drop", 'Next comes "add"'],
    [["add"], "add", 'Next comes "issue"'],
    [["add"], "drop", 'Next comes "issue"'],
    [["add", "issue"], "add", 'Next comes "drop"'],
  ])("after %j takes no step %s", async (before, stage, why) => {
    for (const one of before) {
      await take(one);
      confirm();
    }
    await expect(take(stage, true)).rejects.toThrow(why);
  });

  it("goes on after a restart of the control plane where it was, and waits for nobody when it is forced", async () => {
    await take("add");
    await start();
    expect(change.status().next).toBe("issue");
    confirmed = "older";
    await take("issue", true);
    await start();
    expect([change.status().next, roles()]).toEqual(["drop", ["old", "signs"]]);
  });

  it("is taken from nobody but the operator, who has to say that he forces it", async () => {
    const proof = signOperator(files.joinKey, "roots add", clock);
    expect(() => change.take("add", true, proof)).toThrow("Only who can read the authority's folder");
    expect(() => change.take("add", false, "")).toThrow("Only who can read the authority's folder");
    expect(roles()).toEqual(["signs"]);
  });

  it("takes one of two that ask for the same step at once", async () => {
    const both = await Promise.allSettled([take("add"), take("add")]);
    expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(roles()).toEqual(["signs", "next"]);
  });

  it("does not shut out a connected proxy whose certificate is in no books", async () => {
    const raw = new X509Certificate(files.signer.certificate).raw;
    await take("add");
    confirm();
    await take("issue");
    confirm();
    shown = { serial: "from a file", notAfter: clock.now() + HOUR, raw };
    await expect(take("drop")).rejects.toThrow("reviews-v1.default has shown a certificate that the new root did not");
    shown = { ...shown, serial: "in the books" };
    expect(change.status().waiting).toEqual([]);
    shown = { ...shown, serial: "from a file", raw: new X509Certificate(files.signer.certificate).raw };
    expect(change.status().waiting).toEqual([]);
  });

  it("shows an operator's root by its own life, which is not ours to change", async () => {
    const signer = await readSigner(await createRoot("other", clock.now(), HOUR), clock.now());
    const plugged = { describe: () => null, signer, roots: [signer.root], joinKey: files.joinKey, step: files.step };
    const other = new RootChange({
      ...{ files: plugged, clock, log: () => {}, connections: () => [] },
      issued: { under: () => [], expiryOf: () => null },
    });
    expect(other.status()).toMatchObject({ pluggedIn: true, next: null, roots: [{ notAfter: clock.now() + HOUR }] });
  });
});
