import { assemble, moduleText } from "@mixerless/wasm/testing";
import { afterEach, describe, expect, it } from "vitest";
import { decodeBootstrap } from "../config/decode-bootstrap.ts";
import { ROUTER, routesTo, TestProxy } from "../http/testing/test-proxy.ts";
import { PluginServices, type ServicePart } from "./plugin-services.ts";
import { NOTE, note, on } from "./testing/plugin-chain.ts";

const TYPE = "type.googleapis.com/envoy.extensions.wasm.v3.WasmService";

interface ServiceOptions {
  readonly singleton?: boolean;
  readonly policy?: string;
  readonly part?: ServicePart;
  readonly type?: string;
  readonly vmConfig?: object;
}

const running: PluginServices[] = [];
afterEach(() => {
  for (const services of running.splice(0)) services.close();
});

function bootstrapOf(
  body: string,
  { singleton = true, policy = "FAIL_CLOSED", type = TYPE, vmConfig }: ServiceOptions,
) {
  const inlineBytes = Buffer.from(assemble(moduleText(body))).toString("base64");
  const config = {
    ...{ name: "service", failurePolicy: policy, vmConfig: vmConfig ?? { code: { local: { inlineBytes } } } },
  };
  const decoded = decodeBootstrap({
    bootstrapExtensions: [
      { name: "wasm", typedConfig: { "@type": type, ...(type === TYPE && { singleton }), config } },
    ],
  });
  if (decoded.faults !== undefined) throw new Error(JSON.stringify(decoded.faults));
  return decoded.message;
}

function servicesOf(body: string, options: ServiceOptions = {}) {
  const test = new TestProxy({ routeConfig: routesTo([]), httpFilters: [ROUTER] });
  const { extensions } = test.context;
  const { clock, clusters } = test;
  const parts = { clock, clusters, extensions, part: options.part ?? "all" };
  const services = new PluginServices(bootstrapOf(body, options), parts);
  running.push(services);
  const notes = () =>
    test.hostLog.filter((line) => line.startsWith("wasm log")).map((line) => line.replace(/^.*?: /, ""));
  const start = async () => {
    services.start();
    await extensions.settled();
  };
  return { test, services, notes, start, extensions };
}

const TICKS = `${NOTE}${on("context_create", 2, note("c", "(local.get 0)"))}
  ${on("vm_start", 2, "(drop (call $proxy_set_tick_period_milliseconds (i32.const 100)))", "(i32.const 1)")}
  ${on("tick", 1, note("t", "(local.get 0)"))} ${on("done", 1, note("o", "(local.get 0)"), "(i32.const 1)")}
  ${on("delete", 1, note("x", "(local.get 0)"))}`;

describe("a Wasm plugin as a service (envoy.bootstrap.wasm)", () => {
  it("ticks in its root context from the proxy's start to its end", async () => {
    const { test, services, notes, start } = servicesOf(TICKS);
    await start();
    test.clock.advance(250);
    services.close();
    test.clock.advance(1000);
    expect(notes()).toEqual(["c1", "t1", "t1", "o1", "x1"]);
  });

  it("shows among the plugins, with its place", async () => {
    const { start, extensions } = servicesOf(TICKS);
    await start();
    expect(extensions.pluginReports()).toMatchObject([
      { name: "service", place: "bootstrap/wasm", state: "running", source: "inline" },
    ]);
  });

  it("asks clusters", async () => {
    const pairs =
      '(data (i32.const 200) "\\03\\00\\00\\00\\07\\00\\00\\00\\03\\00\\00\\00\\05\\00\\00\\00\\01\\00\\00\\00\\0a\\00\\00\\00\\01\\00\\00\\00:method\\00GET\\00:path\\00/\\00:authority\\00b\\00") (data (i32.const 300) "auth")';
    const call = `(drop (call $proxy_http_call (i32.const 300) (i32.const 4) (i32.const 200) (i32.const 61) (i32.const 0)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1000) (i32.const 64)))`;
    const body = `${NOTE}${pairs}
      ${on("vm_start", 2, "(drop (call $proxy_set_tick_period_milliseconds (i32.const 100)))", "(i32.const 1)")}
      ${on("tick", 1, call)} ${on("http_call_response", 5, note("r", "(local.get 2)"))}`;
    const { test, notes, start } = servicesOf(body);
    const auth = test.clusters.add("auth");
    await start();
    test.clock.advance(100);
    auth.last.respond(204);
    expect(notes()).toEqual(["r1"]);
  });

  it.each([
    [true, "all", 1],
    [true, "perProcess", 0],
    [false, "perProcess", 1],
    [false, "none", 0],
  ] as const)("with singleton %s runs in a process for %j: %d", async (singleton, part, vms) => {
    const { test, start, extensions } = servicesOf(TICKS, { singleton, part });
    await start();
    expect(extensions.plugins(test.clusters).vms).toBe(vms);
  });

  it("that fails comes back after the back-off where its policy says so, else never", async () => {
    const failing = TICKS.replace('(export "proxy_on_tick") (param i32 ) ', "$&(unreachable)");
    for (const [policy, created] of [
      ["FAIL_RELOAD", 2],
      ["FAIL_CLOSED", 1],
    ] as const) {
      const { test, notes, start } = servicesOf(failing, { policy });
      await start();
      test.clock.advance(3000);
      expect([policy, notes().filter((line) => line === "c1").length >= created]).toEqual([policy, true]);
      if (policy === "FAIL_CLOSED") expect(notes()).toEqual(["c1"]);
    }
  });

  it.each([
    [
      { type: "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm" },
      "typedConfig",
      /only envoy\.extensions\.wasm\.v3\.WasmService is/,
    ],
    [
      { vmConfig: { runtime: "envoy.wasm.runtime.null", code: { local: { inlineString: "envoy.wasm.stats" } } } },
      "typedConfig.config.vm_config.code",
      /the null VM run as filters only/,
    ],
  ])("as %j is refused with the field and a cure", (options, path, message) => {
    const { services } = servicesOf("", options as ServiceOptions);
    expect(services.check()).toEqual([
      { path: `bootstrapExtensions[0].${path}`, message: expect.stringMatching(message) },
    ]);
  });
});
