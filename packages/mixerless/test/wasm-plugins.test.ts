import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assemble, moduleText } from "@mixerless/wasm/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchPage } from "./fetch-page.ts";
import { Load } from "./load.ts";
import { RunningDemo } from "./running-demo.ts";

/** Adds `x-hop: <letter>` to each answer. */
function marker(letter: string): Uint8Array {
  const add =
    "(drop (call $proxy_add_header_map_value (i32.const 2) (i32.const 0) (i32.const 5) (i32.const 5) (i32.const 1)))";
  return assemble(
    moduleText(
      `(data (i32.const 0) "x-hop${letter}") (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32) ${add} (i32.const 0))`,
    ),
  );
}

function plugin(name: string, spec: object): string {
  const metadata = { name, namespace: "istio-system" };
  return JSON.stringify({ apiVersion: "extensions.istio.io/v1alpha1", kind: "WasmPlugin", metadata, spec });
}

interface ListenerDump {
  readonly configs: readonly { readonly name: string; readonly active_state: { readonly last_updated: string } }[];
}

describe("WasmPlugins in a mesh", () => {
  let folder: string;
  let demo: RunningDemo;
  const url = (letter: string) => `file://${join(folder, `${letter}.wasm`)}`;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "mixerless-plugins-"));
    for (const letter of "abc") await writeFile(join(folder, `${letter}.wasm`), marker(letter));
    const flags = ["--no-traffic", "--reviews", "v2", "--mtls", "permissive", "--loopback", "single"];
    demo = await RunningDemo.start(...flags, "--plugin", join(folder, "a.wasm"));
  }, 60_000);

  afterAll(async () => {
    await demo?.stop();
    await rm(folder, { recursive: true, force: true });
  }, 20_000);

  /** The marks on an answer. The last filter of a chain is the first to see it. */
  const marks = async (at: string) => (await fetch(`http://${at}/health`)).headers.get("x-hop") ?? "";
  const page = async () => (await fetch(`${demo.summary.ingress}/productpage`)).headers.get("x-hop") ?? "";

  /** When each listener of a workload last changed. */
  async function changes(name: string): Promise<Record<string, string>> {
    const { body } = await fetchPage(`${demo.workload(name).admin}/config_dump?resource=dynamic_listeners`);
    const { configs } = JSON.parse(body) as ListenerDump;
    return Object.fromEntries(configs.map((entry) => [entry.name, entry.active_state.last_updated]));
  }

  /** Page views all the time while `change` is written, until the page has these marks, and some more. */
  async function underLoad(expected: string, change: () => Promise<void>): Promise<void> {
    const load = new Load(`${demo.summary.ingress}/productpage`);
    await load.more(10);
    await change();
    while ((await page()) !== expected) await load.more(1);
    await load.more(30);
    await load.stop();
    expect(Object.fromEntries(load.answers)).toEqual({ 200: load.total });
  }

  it("demo --plugin: runs in every proxy from the first request, where the demo says that it is ready", async () => {
    expect(await page()).toBe("a, a");
    for (const { name, inbound } of demo.summary.workloads) expect(await marks(inbound), name).toBe("a");
  });

  it("one that is added, and must not fail, comes into the chains without a failed request", async () => {
    await underLoad("b, a, b, a", () => demo.write("b.yaml", plugin("b", { url: url("b") })));
    // Without a priority behind the demo's own.
    for (const { name, inbound } of demo.summary.workloads)
      while ((await marks(inbound)) !== "b, a") expect(await marks(inbound), name).toMatch(/^a$|^b, a$/);
  }, 60_000);

  it("goes in front of others by its priority", async () => {
    await underLoad("a, b, a, b", () => demo.write("b.yaml", plugin("b", { url: url("b"), priority: 100 })));
  }, 60_000);

  it("with another module changes no listener", async () => {
    const before = await changes("productpage-v1");
    await underLoad("a, c, a, c", () => demo.write("b.yaml", plugin("b", { url: url("c"), priority: 100 })));
    expect(await changes("productpage-v1")).toEqual(before);
  }, 60_000);

  it("for servers alone leaves clients", async () => {
    const match = [{ mode: "SERVER" }];
    await underLoad("a, c, a", () => demo.write("b.yaml", plugin("b", { url: url("c"), priority: 100, match })));
  }, 60_000);

  it("leaves the chains without a failed request", async () => {
    await underLoad("a, a", () => demo.remove("b.yaml"));
  }, 60_000);

  it.each([
    ["FAIL_CLOSE", 503],
    ["FAIL_OPEN", 200],
  ])(
    "whose module can't be had answers by %s, and says why",
    async (failStrategy, status) => {
      const selector = { matchLabels: { app: "details" } };
      const away = { url: "http://127.0.0.1:1/away.wasm", failStrategy, selector };
      await demo.write("away.yaml", plugin("away", away));
      const { inbound } = demo.workload("details-v1");
      await demo.says("wasm plugin istio-system.away: 127.0.0.1:1 can't be reached");
      while ((await fetchPage(`http://${inbound}/health`)).status !== status);
      expect(await marks(demo.workload("ratings-v1").inbound)).toBe("a");
      await demo.remove("away.yaml");
      while ((await fetchPage(`http://${inbound}/health`)).status !== 200);
    },
    60_000,
  );
});

describe("demo --plugin", () => {
  it.each([
    ["/nowhere/plugin.wasm", "--plugin /nowhere/plugin.wasm: there is no such file."],
    [tmpdir(), "is a folder. Give the .wasm file in it."],
    [join(import.meta.dirname, "load.ts"), "is no WebAssembly module"],
  ])("%s is refused before anything starts", async (file, message) => {
    await expect(RunningDemo.start("--plugin", file)).rejects.toThrow(message);
  });
});
