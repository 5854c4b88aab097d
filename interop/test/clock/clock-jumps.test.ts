import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchPage } from "../../../packages/mixerless/test/fetch-page.ts";
import { Load } from "../../../packages/mixerless/test/load.ts";
import { RunningDemo } from "../../../packages/mixerless/test/running-demo.ts";
import { titled } from "../peers.ts";

const run = promisify(execFile);
const COMMAND = fileURLToPath(new URL("../../../packages/mixerless/bin/mixerless.js", import.meta.url));
const LIBRARY = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib", "/usr/local/lib"]
  .map((folder) => join(folder, "faketime/libfaketimeMT.so.1"))
  .find((path) => existsSync(path));
const without = [LIBRARY === undefined && "no libfaketime"];

/** Of those that the demo starts: their wall clock, OpenSSL's included, is what a file says. Timers go on as ever. */
function environment(file: string): Record<string, string> {
  return {
    LD_PRELOAD: LIBRARY ?? "",
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  };
}

/** Certificates live for 24 hours and date two minutes back. */
describe.skipIf(without.some(Boolean))(titled("a mesh whose clock jumps", without), () => {
  let demo: RunningDemo;
  let folder: string;
  let faked: Record<string, string>;

  const jump = (offset: string) => writeFile(join(folder, "clock"), `${offset}\n`);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "mixerless-clock-"));
    faked = environment(join(folder, "clock"));
    await jump("+0");
    const own = { ...process.env };
    Object.assign(process.env, faked);
    try {
      demo = await RunningDemo.start("--no-traffic", "--reviews", "v1");
    } finally {
      for (const name of Object.keys(faked)) {
        if (own[name] === undefined) delete process.env[name];
        else process.env[name] = own[name];
      }
    }
  });

  afterAll(async () => {
    await demo?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Requests for certificates that the authority has seen. */
  async function asked(): Promise<number> {
    const metrics = await demo.pilot("/metrics");
    return Number(/^citadel_server_csr_count(?:_total)? (\d+)$/m.exec(metrics)?.[1] ?? Number.NaN);
  }

  async function serials(): Promise<string[]> {
    return Promise.all(
      demo.summary.workloads.map(async ({ admin }) => {
        const { certificates } = JSON.parse((await fetchPage(`${admin}/certs`)).body) as {
          certificates: { cert_chain: { path: string; serial_number: string }[] }[];
        };
        const own = certificates.flatMap((one) => one.cert_chain).find(({ path }) => path === "default");
        return own?.serial_number ?? "";
      }),
    );
  }

  /** Resolves when every workload has another certificate than these. */
  async function renewed(before: readonly string[]): Promise<void> {
    for (let now = await serials(); now.some((serial, i) => serial === before[i]); now = await serials());
  }

  let atOnce = 0;

  /** Answers to more views at a time than ever before, so that some need new connections. */
  async function burst(): Promise<Set<number>> {
    atOnce += 16;
    const views = Array.from({ length: atOnce }, () => fetchPage(`${demo.summary.ingress}/productpage`));
    return new Set((await Promise.all(views)).map(({ status }) => status));
  }

  async function refused(): Promise<void> {
    while (!(await burst()).has(503));
  }

  async function served(): Promise<void> {
    const wanted = JSON.stringify([200]);
    while (JSON.stringify([...(await burst())]) !== wanted);
  }

  it("past the half of its certificates: each is renewed, once, and no view fails", async () => {
    const [before, count] = [await serials(), await asked()];
    const load = new Load(`${demo.summary.ingress}/productpage`);
    await load.more(20);
    await jump("+13h");
    await renewed(before);
    await load.more(20);
    await load.stop();
    expect(Object.fromEntries(load.answers)).toEqual({ 200: load.total });
    expect((await asked()) - count).toBe(before.length);
    expect(await burst()).toEqual(new Set([200]));
  });

  it("to before they begin: what needs new connections is refused, which is said, until the clock is set", async () => {
    const count = await asked();
    const told = demo.says("later than this machine's clock");
    await jump("+0");
    await told;
    await refused();
    process.stderr.write(`${(await asked()) - count} requests for certificates at a clock before them\n`);
    await jump("+13h");
    await served();
  });

  it("past their end: what needs new connections is refused, which is said, and new join tokens let all in at once", async () => {
    const before = await serials();
    const told = demo.says("new connections that need it are refused");
    await jump("+38h");
    await told;
    await refused();
    expect(await serials()).toEqual(before);
    const home = dirname(demo.summary.config);
    for (const { name, namespace } of demo.summary.workloads) await admit(home, name, namespace);
    await renewed(before);
    await served();
  });

  async function admit(home: string, name: string, namespace: string): Promise<void> {
    const account = namespace === "default" ? `bookinfo-${name.replace(/-v\d$/, "")}` : `${name}-service-account`;
    const flags = ["--authority", join(home, "authority"), "--namespace", namespace];
    const { stdout } = await run(
      process.execPath,
      [COMMAND, "token", "create", ...flags, "--workload", name, "--service-account", account],
      { env: { ...process.env, ...faked } },
    );
    const file = join(home, "tokens", name);
    await writeFile(file, stdout, { mode: 0o600 });
    await chmod(file, 0o600);
  }
});
