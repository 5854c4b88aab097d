import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assemble, moduleText } from "@mixerless/wasm/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DemoWorkloadSummary, RunningDemo } from "../../../packages/mixerless/test/running-demo.ts";
import { findProgram, titled } from "../peers.ts";
import { EnvoyServer } from "./envoy-server.ts";

const program = findProgram("envoy");
const without = [program === null && "no envoy, npm run interop:setup installs it"];

/** Adds `x-hop: a` to each answer. */
function marker(): Uint8Array {
  const add =
    "(drop (call $proxy_add_header_map_value (i32.const 2) (i32.const 0) (i32.const 5) (i32.const 5) (i32.const 1)))";
  const callback = `(func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32) ${add} (i32.const 0))`;
  return assemble(moduleText(`(data (i32.const 0) "x-hopa") ${callback}`));
}

function plugin(name: string, spec: object): string {
  const metadata = { name, namespace: "istio-system" };
  return JSON.stringify({ apiVersion: "extensions.istio.io/v1alpha1", kind: "WasmPlugin", metadata, spec });
}

describe.skipIf(without.some(Boolean))(titled("stock Envoy with WasmPlugins", without), () => {
  let folder: string;
  let demo: RunningDemo;
  let envoy: EnvoyServer;
  let workload: DemoWorkloadSummary;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "mixerless-plugins-"));
    const module = join(folder, "marker.wasm");
    await writeFile(module, marker());
    const name = "productpage-v1";
    const flags = ["--no-traffic", "--mtls", "permissive", "--external", name, "--plugin", module];
    demo = await RunningDemo.start(...flags);
    workload = demo.workload(name);
    envoy = await EnvoyServer.start(program ?? "", workload.bootstrap ?? "", workload.admin);
  });

  afterAll(async () => {
    await envoy?.stop();
    await demo?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const health = () => fetch(`http://${workload.inbound}/health`);

  it("takes listeners and configurations, and runs the module of a file", async () => {
    expect(await envoy.refused()).toEqual([]);
    expect(await envoy.rejectedUpdates()).toEqual({});
    while ((await health()).headers.get("x-hop") !== "a") expect((await health()).status).not.toBe(500);
  });

  it.each([
    ["FAIL_OPEN", [200]],
    // By the verdict in the plugin's place, then by the plugin, which has no module.
    ["FAIL_CLOSE", [403, 503]],
  ])("goes by %s where nobody fetches the module", async (failStrategy, statuses) => {
    await demo.write("away.yaml", plugin("away", { url: "oci://127.0.0.1:1/away:v1", failStrategy, phase: "AUTHN" }));
    const taken = () => envoy.stats("extension_config_discovery.*istio-system.away.config_reload$");
    while (!Object.values(await taken()).some((count) => count > 0));
    while (!statuses.includes((await health()).status));
    expect(await envoy.rejectedUpdates()).toEqual({});
    await demo.remove("away.yaml");
    while ((await health()).status !== 200);
  });
});
