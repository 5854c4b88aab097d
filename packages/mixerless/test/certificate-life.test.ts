import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchPage } from "./fetch-page.ts";
import { Load } from "./load.ts";
import { RunningDemo } from "./running-demo.ts";

/** Renewed every 5 seconds. */
const LIFE = "10s";
/** `MIXERLESS_RENEWALS=24` is two minutes; each workload has to renew so often. */
const RENEWALS = Number(process.env.MIXERLESS_RENEWALS ?? 2);

interface Certificates {
  readonly certificates: readonly { readonly cert_chain: readonly Shown[] }[];
}

interface Shown {
  readonly path: string;
  readonly serial_number: string;
  readonly expiration_time: string;
}

describe("certificates of ten seconds, under load", () => {
  let demo: RunningDemo;
  let load: Load;

  beforeAll(async () => {
    demo = await RunningDemo.start("--no-traffic", "--reviews", "v2", "--certificate-lifetime", LIFE);
  }, 60_000);

  afterAll(async () => {
    process.kill(demo.summary.pilotPid, "SIGCONT");
    await load?.stop();
    await demo?.stop();
  }, 30_000);

  /** Each workload's own certificate. */
  async function own(): Promise<Map<string, Shown>> {
    const found = new Map<string, Shown>();
    for (const { name, admin } of demo.summary.workloads) {
      const { certificates } = JSON.parse((await fetchPage(`${admin}/certs`)).body) as Certificates;
      const shown = certificates.flatMap((one) => one.cert_chain).find(({ path }) => path === "default");
      if (shown !== undefined) found.set(name, shown);
    }
    return found;
  }

  const serials = async () => new Map([...(await own())].map(([name, { serial_number }]) => [name, serial_number]));

  /** Milliseconds until the first of them expires. */
  const left = async () =>
    Math.min(...[...(await own()).values()].map((shown) => Date.parse(shown.expiration_time))) - Date.now();

  /** Resolves when every workload has another certificate than before, while views go on. */
  async function renewed(): Promise<void> {
    const before = await serials();
    for (;;) {
      await load.more(10);
      const after = await serials();
      if ([...before].every(([name, serial]) => after.get(name) !== serial)) return;
    }
  }

  it(
    `are renewed ${RENEWALS} times without a failed request`,
    async () => {
      load = new Load(`${demo.summary.ingress}/productpage`);
      for (let i = 0; i < RENEWALS; i++) await renewed();
      expect((await serials()).size).toBe(demo.summary.workloads.length);
      expect(Object.fromEntries(load.answers)).toEqual({ 200: load.total });
      if (RENEWALS > 2)
        process.stderr.write(`${load.total} views, ${RENEWALS} renewals of each workload, none failed\n`);
    },
    60_000 + RENEWALS * 15_000,
  );

  it("serve on while the authority is away for longer than half of their life, and are refused when they expire", async () => {
    await renewed();
    const before = await serials();
    process.kill(demo.summary.pilotPid, "SIGSTOP");
    const expired = demo.says("new connections that need it are refused");
    // What wanted to be renewed at half of its life has lost some more of it.
    while ((await left()) > 3000) await load.more(5);
    expect(await serials()).toEqual(before);
    await load.stop();
    expect(Object.fromEntries(load.answers)).toEqual({ 200: load.total });
    await expired;
    // What is open stays open; as soon as more views come at a time than before, some need new connections.
    const refused = new Set<number>();
    for (let atOnce = 32; refused.size === 0 && atOnce <= 512; atOnce *= 2) {
      const views = Array.from({ length: atOnce }, () => fetchPage(`${demo.summary.ingress}/productpage`));
      for (const { status } of await Promise.all(views)) if (status !== 200) refused.add(status);
    }
    expect([...refused]).toContain(503);
  }, 90_000);
});
