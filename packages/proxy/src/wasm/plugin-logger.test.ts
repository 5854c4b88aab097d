import { assemble, moduleText } from "@mixerless/wasm/testing";
import { afterEach, describe, expect, it } from "vitest";
import { compileAccessLoggers } from "../access-log/access-logger.ts";
import { decodeManager, OUTCOME_LOG, ROUTER, routesTo, TestProxy } from "../http/testing/test-proxy.ts";
import type { ConfigFault } from "../network/config-fault.ts";
import { GO_ON, NOTE, note, on, PluginChain } from "./testing/plugin-chain.ts";

const TYPE = "type.googleapis.com/envoy.extensions.access_loggers.wasm.v3.WasmAccessLog";

function logOf(body: string, { policy = "FAIL_CLOSED", filter = {}, type = TYPE, vmConfig = {} } = {}): object {
  const inlineBytes = Buffer.from(assemble(moduleText(body))).toString("base64");
  const config = {
    ...{ name: "logs", failurePolicy: policy },
    vmConfig: { code: { local: { inlineBytes } }, ...vmConfig },
  };
  return { name: "wasm", typedConfig: { "@type": type, config }, ...filter };
}

/** Logs what a property holds. */
const property = (path: string, at: number) => `(data (i32.const ${at}) "${path.replaceAll(".", "\\00")}")`;
const read = (path: string, at: number) =>
  `(if (i32.eqz (call $proxy_get_property (i32.const ${at}) (i32.const ${path.length}) (i32.const 64) (i32.const 68)))
     (then (drop (call $proxy_log (i32.const 2) (i32.load (i32.const 64)) (i32.load (i32.const 68))))))`;

const FACTS = `${NOTE}${property("response.code_details", 100)}${property("cluster_name", 200)}
  (data (i32.const 300) "x-mark") (data (i32.const 310) ":status") ${on("context_create", 2, note("c"))}
  ${on(
    "log",
    1,
    `${note("l", "(local.get 0)")} ${read("response.code_details", 100)} ${read("cluster_name", 200)}
     (drop (call $proxy_get_header_map_value (i32.const 0) (i32.const 300) (i32.const 6) (i32.const 64) (i32.const 68)))
     (drop (call $proxy_log (i32.const 2) (i32.load (i32.const 64)) (i32.load (i32.const 68))))
     ${note("w", "(call $proxy_add_header_map_value (i32.const 0) (i32.const 300) (i32.const 6) (i32.const 300) (i32.const 6))")}
     ${note("t", "(call $proxy_get_header_map_value (i32.const 3) (i32.const 300) (i32.const 6) (i32.const 64) (i32.const 68))")}
     (drop (call $proxy_get_header_map_value (i32.const 2) (i32.const 310) (i32.const 7) (i32.const 64) (i32.const 68)))
     (drop (call $proxy_log (i32.const 2) (i32.load (i32.const 64)) (i32.load (i32.const 68))))`,
  )}`;

const closes: (() => void)[] = [];
afterEach(() => {
  for (const close of closes.splice(0)) close();
});

async function proxyWith(accessLog: readonly object[]) {
  const routeConfig = routesTo([{ match: { prefix: "/" }, route: { cluster: "c" } }]);
  const test = new TestProxy({ routeConfig, httpFilters: [ROUTER], accessLog });
  closes.push(() => test.factory.close());
  await test.context.extensions.settled();
  const notes = () =>
    test.hostLog.filter((line) => line.startsWith("wasm log")).map((line) => line.replace(/^.*?: /, ""));
  return { test, cluster: test.clusters.add("c"), notes };
}

describe("a Wasm plugin as access logger (envoy.access_loggers.wasm)", () => {
  it("is told of each finished stream in its root context, with its facts and headers, which it can only read", async () => {
    const { test, cluster, notes } = await proxyWith([logOf(FACTS)]);
    test.request({ "x-mark": "mine" });
    cluster.last.respond(200);
    test.clock.advance(0);
    // Created once, for itself; headers can't be changed (2), and there are no trailers (1).
    expect(notes()).toEqual(["c0", "l1", "via_upstream", "c", "mine", "w2", "t1", "200"]);
  });

  it("comes after the turn in which a stream ended: nothing of a response waits for it", async () => {
    const { test, cluster, notes } = await proxyWith([logOf(NOTE + on("log", 1, note("l", "(local.get 0)")))]);
    const exchange = test.request();
    cluster.last.respond(200, {}, "body");
    expect([exchange.body, notes()]).toEqual(["body", []]);
    test.clock.advance(0);
    expect(notes()).toEqual(["l1"]);
  });

  it("is told only of what its filter lets pass", async () => {
    const filter = {
      filter: { statusCodeFilter: { comparison: { op: "GE", value: { defaultValue: 400, runtimeKey: "k" } } } },
    };
    const { test, cluster, notes } = await proxyWith([
      logOf(NOTE + on("log", 1, note("l", "(local.get 0)")), { filter }),
    ]);
    for (const status of [200, 404]) {
      test.request();
      cluster.last.respond(status);
    }
    test.clock.advance(0);
    expect(notes()).toEqual(["l1"]);
  });

  it("is told of TCP connections, which have no headers", async () => {
    const body = `${NOTE}${property("connection_id", 100)}${property("source.address", 200)} (data (i32.const 300) "x-mark") ${on(
      "log",
      1,
      `${read("source.address", 200)}
       ${note("h", "(call $proxy_get_header_map_value (i32.const 0) (i32.const 300) (i32.const 6) (i32.const 64) (i32.const 68))")}`,
    )}`;
    const chain = new PluginChain([], { tcp: { accessLog: [logOf(body)] } });
    closes.push(() => chain.close());
    await chain.settled();
    const { down, connect } = chain.accept();
    connect();
    down.handler?.onClose(new Error("gone"));
    chain.test.clock.advance(0);
    expect(chain.notes).toEqual(["10.0.0.9:41000", "h1"]);
  });

  it("that fails leaves streams and the other logs alone", async () => {
    const { test, cluster } = await proxyWith([logOf(on("log", 1, "(unreachable)")), OUTCOME_LOG]);
    for (let i = 0; i < 2; i++) {
      test.request();
      cluster.last.respond(200);
      test.clock.advance(0);
    }
    expect(test.log()).toEqual(["200 - via_upstream", "200 - via_upstream"]);
    expect(test.hostLog.join()).toContain("Function: proxy_on_log failed: unreachable");
  });

  it("logs what waits when its chain goes, and its VM goes with it", async () => {
    const { test, cluster, notes } = await proxyWith([logOf(NOTE + on("log", 1, note("l", "(local.get 0)")))]);
    test.request();
    cluster.last.respond(200);
    test.factory.close();
    expect(notes()).toEqual(["l1"]);
    expect(test.context.extensions.plugins(test.clusters).vms).toBe(0);
  });

  it("asks clusters and ticks as every plugin does", async () => {
    const body =
      NOTE +
      on("vm_start", 2, "(drop (call $proxy_set_tick_period_milliseconds (i32.const 5)))", "(i32.const 1)") +
      on("tick", 1, note("t", "(local.get 0)")) +
      on("downstream_data", 3, "", GO_ON);
    const { test, notes } = await proxyWith([logOf(body)]);
    test.clock.advance(11);
    expect(notes()).toEqual(["t1", "t1"]);
  });

  it("where it can't be is refused with the field and a cure", async () => {
    const { test } = await proxyWith([]);
    const faultsOf = (log: object, listener = false) => {
      const faults: ConfigFault[] = [];
      const { accessLog } = decodeManager({ accessLog: [log], routeConfig: routesTo([]) });
      const context = listener ? { ...test.context, listener: undefined } : test.context;
      compileAccessLoggers(accessLog, context, "accessLog", faults);
      return faults.map(({ path, message }) => `${path}: ${message}`);
    };
    const nullVm = { runtime: "envoy.wasm.runtime.null", code: { local: { inlineString: "envoy.wasm.stats" } } };
    expect(faultsOf(logOf("", { vmConfig: nullVm }))).toEqual([
      "accessLog[0].typedConfig.config.vm_config.code: plugins of the null VM run as filters only; use a module",
    ]);
    expect(faultsOf(logOf(""), true)).toEqual([
      expect.stringContaining("accessLog[0].typedConfig: a plugin can't be the log of a listener"),
    ]);
  });
});
