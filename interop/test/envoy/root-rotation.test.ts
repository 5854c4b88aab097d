import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Load } from "../../../packages/mixerless/test/load.ts";
import { RunningDemo } from "../../../packages/mixerless/test/running-demo.ts";
import { findProgram, titled } from "../peers.ts";
import { EnvoyServer } from "./envoy-server.ts";

const run = promisify(execFile);
const COMMAND = fileURLToPath(new URL("../../../packages/mixerless/bin/mixerless.js", import.meta.url));
const NAME = "productpage-v1";

const program = findProgram("envoy");
const without = [program === null && "no envoy, npm run interop:setup installs it"];

interface Certs {
  readonly certificates: readonly {
    readonly ca_cert: readonly { readonly serial_number: string }[];
    readonly cert_chain: readonly { readonly serial_number: string }[];
  }[];
}

describe.skipIf(without.some(Boolean))(titled("a stock Envoy in a mesh whose root is replaced", without), () => {
  let demo: RunningDemo;
  let envoy: EnvoyServer;
  let load: Load;

  beforeAll(async () => {
    demo = await RunningDemo.start("--no-traffic", "--reviews", "v2", "--external", NAME);
    const { bootstrap, admin } = demo.workload(NAME);
    envoy = await EnvoyServer.start(program ?? "", bootstrap ?? "", admin);
  }, 90_000);

  afterAll(async () => {
    await load?.stop();
    await envoy?.stop();
    await demo?.stop();
  }, 30_000);

  const rotate = (...step: string[]) => {
    const authority = join(dirname(demo.summary.config), "authority");
    const flags = ["ca", "rotate-root", ...step, "--pilot", demo.summary.pilot, "--authority", authority];
    return run(process.execPath, [COMMAND, ...flags], { timeout: 60_000 });
  };

  /** Serials of what Envoy trusts, and of what it shows. */
  async function certs(): Promise<{ roots: string[]; own: string[] }> {
    const { certificates } = JSON.parse(await envoy.page("/certs")) as Certs;
    const serials = (of: (one: Certs["certificates"][number]) => readonly { serial_number: string }[]) =>
      [...new Set(certificates.flatMap((one) => of(one).map(({ serial_number }) => serial_number)))].sort();
    return { roots: serials((one) => one.ca_cert), own: serials((one) => one.cert_chain) };
  }

  async function until(holds: (now: { roots: string[]; own: string[] }) => boolean): Promise<void> {
    while (!holds(await certs())) await pause(50);
  }

  it("loses no request, hears of the new root at once and of the end of the old one", async () => {
    load = new Load(`${demo.summary.ingress}/productpage`);
    await load.more(20);
    const before = await certs();
    expect([before.roots.length, before.own.length]).toEqual([1, 1]);
    await rotate("add");
    // It shows one of the roots of a bundle on that page; the other certificate in use tells of the rest.
    await rotate("issue");
    await until(({ own }) => own.length === 1 && own[0] !== before.own[0]);
    await load.more(50);
    await rotate("drop");
    await until(({ roots }) => roots.length === 1 && roots[0] !== before.roots[0]);
    await load.more(100);
    await load.stop();
    expect(Object.fromEntries(load.answers)).toEqual({ 200: load.total });
    expect(await envoy.refused()).toEqual([]);
  }, 120_000);
});
