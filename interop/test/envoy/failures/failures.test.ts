import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findProgram, freePort, titled } from "../../peers.ts";
import { startEmbedded } from "../embedded-proxy.ts";
import { EnvoyServer } from "../envoy-server.ts";
import { CLIENT_CASES } from "./client-cases.ts";
import { failureBootstrap, type PlacedCase } from "./failure-bootstrap.ts";
import type { FailureCase } from "./failure-case.ts";
import { FaultyUpstreams } from "./faulty-upstreams.ts";
import { sendRaw } from "./send-raw.ts";
import { UPSTREAM_CASES } from "./upstream-cases.ts";

const FAILURE_CASES = [...UPSTREAM_CASES, ...CLIENT_CASES];

const program = findProgram("envoy");
const without = [program === null && "no envoy, npm run interop:setup installs it"];

interface Judged {
  readonly answer: FailureCase["answer"];
  readonly headers: Readonly<Record<string, string | null>>;
}

/** A proxy with a listener for each case. */
class FailingProxy {
  readonly #placed = new Map<string, number>();
  readonly #ip: string;
  #stop: () => Promise<void> = async () => {};
  #log = "";

  private constructor(ip: string) {
    this.#ip = ip;
  }

  static async start(folder: string, ip: string, upstreams: FaultyUpstreams, start: Start): Promise<FailingProxy> {
    const proxy = new FailingProxy(ip);
    const placed: PlacedCase[] = [];
    for (const entry of FAILURE_CASES) {
      const upstream = entry.upstream === undefined ? undefined : await upstreams.port(entry.upstream);
      const listener = FIRST_PORT + placed.length;
      placed.push({ entry, listener, upstream });
      proxy.#placed.set(entry.name, listener);
    }
    proxy.#log = join(folder, "access.log");
    const admin = await freePort();
    proxy.#stop = await start(failureBootstrap(placed, { ip, admin, logFile: proxy.#log }), admin);
    return proxy;
  }

  async judge(entry: FailureCase): Promise<Judged> {
    const port = this.#placed.get(entry.name) ?? 0;
    const seen = await sendRaw({ host: this.#ip, port }, entry);
    const [, code = "0", flags = "", details = ""] = (await this.#logged(port)).split(" ");
    return {
      // Envoy lists flags in the order in which they came up, ours in that of their bits [telemetry §1.8].
      answer: [Number(code), flags.split(",").sort().join(","), details, seen.body],
      headers: Object.fromEntries(Object.keys(entry.headers ?? {}).map((name) => [name, seen.headers[name] ?? null])),
    };
  }

  stop(): Promise<void> {
    return this.#stop();
  }

  async #logged(port: number): Promise<string> {
    const end = performance.now() + 10_000;
    for (;;) {
      const text = await readFile(this.#log, "utf8").catch(() => "");
      const line = text.split("\n").find((entry) => entry.startsWith(`${port} `));
      if (line !== undefined) return line;
      if (performance.now() > end) throw new Error(`nothing was logged at ${port}`);
      await new Promise((wake) => setTimeout(wake, 20));
    }
  }
}

const FIRST_PORT = 9001;

/** An address of this process's own, where all ports are free. */
function loopback(number: number): string {
  const { pid } = process;
  return `127.${128 + ((pid >> 8) & 63)}.${pid & 255}.${number}`;
}

/** Resolves when the proxy serves, with what stops it. */
type Start = (bootstrap: object, admin: number) => Promise<() => Promise<void>>;

describe.skipIf(without.some(Boolean))(titled("what a failure looks like", without), () => {
  const upstreams = new FaultyUpstreams();
  let folder: string;
  const proxies = new Map<string, FailingProxy>();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "mixerless-failures-"));
    const inEnvoy: Start = async (bootstrap, admin) => {
      const file = join(folder, "envoy.json");
      await writeFile(file, JSON.stringify(bootstrap));
      const flags = ["--file-flush-interval-msec", "20"];
      const envoy = await EnvoyServer.start(program ?? "", file, `http://127.0.0.1:${admin}`, flags);
      return () => envoy.stop();
    };
    const inOurs: Start = async (bootstrap) => {
      const proxy = await startEmbedded(bootstrap);
      return () => proxy.close();
    };
    for (const [name, ip, start] of [
      ["Envoy", loopback(1), inEnvoy],
      ["the embedded proxy", loopback(2), inOurs],
    ] as const) {
      const own = await mkdtemp(join(folder, "proxy-"));
      proxies.set(name, await FailingProxy.start(own, ip, upstreams, start));
    }
  });

  afterAll(async () => {
    for (const proxy of proxies.values()) await proxy.stop();
    await upstreams.close();
    await rm(folder, { recursive: true, force: true });
  });

  describe.each(["Envoy", "the embedded proxy"])("to %s:", (name) => {
    it.each(FAILURE_CASES.map((entry) => [entry.name, entry] as const))("%s", async (_name, entry) => {
      const { answer, ours, headers = {} } = entry;
      const [status, flags, details, body] = answer;
      const other = name === "Envoy" ? undefined : ours;
      const expected = [status, flags, ...(other ?? [details, body])];
      expect(await proxies.get(name)?.judge(entry)).toEqual({ answer: expected, headers });
    });
  });
});
