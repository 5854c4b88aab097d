import { beforeEach, describe, expect, test } from "vitest";
import { type PluginConfig, pluginConfig, resolveEnvironment } from "../src/index.ts";
import { assemble, FakeHttpStream, moduleText, TestHost } from "../src/testing/index.ts";

let host: TestHost;

beforeEach(() => {
  host = new TestHost();
});

/** Marks each request with `x-mark: letter`; traps where the path is `/trap`. */
function marker(letter: string, more = ""): string {
  return `(data (i32.const 0) "x-mark${letter}:path")
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (drop (call $proxy_add_header_map_value (i32.const 0) (i32.const 0) (i32.const 6) (i32.const 6) (i32.const 1)))
      (drop (call $proxy_get_header_map_value (i32.const 0) (i32.const 7) (i32.const 5) (i32.const 64) (i32.const 68)))
      (if (i32.eq (i32.load (i32.load (i32.const 64))) (i32.const 0x6172742f)) (then (unreachable)))
      (i32.const 0)) ${more}`;
}

const load = (body: string) => host.load(assemble(moduleText(body)));
const config = (own: Partial<PluginConfig> = {}) => pluginConfig("test", own);

function send(plugin: Awaited<ReturnType<TestHost["plugin"]>>, path = "/"): string {
  const stream = new FakeHttpStream([
    [":method", "GET"],
    [":path", path],
    [":authority", "a"],
  ]);
  const context = plugin.openHttp(stream);
  if (typeof context === "string") return context;
  context.onRequestHeaders(true);
  context.onLog();
  context.onDestroy();
  return stream.events.find((event) => event.startsWith("reply")) ?? stream.headers(0)?.value("x-mark") ?? "passed";
}

const refusing = '(func (export "proxy_on_configure") (param i32 i32) (result i32) (i32.const 0))';

describe("reload", () => {
  test("within the back-off a failure, after it a fresh VM; each is counted", async () => {
    const plugin = await host.plugin(marker("a"), { failurePolicy: "reload", reloadInterval: 1000 });
    expect(send(plugin, "/trap")).toBe("reply 503 wasm_fail_stream");
    expect(send(plugin)).toBe("fail");
    host.services.clock.advance(999);
    expect(send(plugin)).toBe("fail");
    host.services.clock.advance(1);
    expect(send(plugin)).toBe("a");
    expect(plugin.status()).toMatchObject({ state: "running", failures: 1 });
    const text = host.metrics.text();
    expect(text).toContain("envoy_wasm_test_vm_reload_backoff 2");
    expect(text).toContain("envoy_wasm_test_vm_reload_success 1");
  });

  test("a configuration that fails at reload: closed, counted, tried again later", async () => {
    // Says yes once: shared data outlives the VM as long as another of its vm_id is there.
    const once = `(func (export "proxy_on_configure") (param i32 i32) (result i32)
      (i32.ne (call $proxy_get_shared_data (i32.const 100) (i32.const 1) (i32.const 80) (i32.const 84) (i32.const 88)) (i32.const 0))
      (drop (call $proxy_set_shared_data (i32.const 100) (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 0))))`;
    await host.plugin("", { vmId: "v" });
    const plugin = await host.plugin(marker("a", once), { failurePolicy: "reload", vmId: "v" });
    send(plugin, "/trap");
    for (let i = 1; i <= 2; i++) {
      host.services.clock.advance(1000);
      expect(send(plugin)).toBe("fail");
      expect(host.metrics.text()).toContain(`envoy_wasm_test_vm_reload_failure ${i}`);
    }
    expect(plugin.status().lastFailure?.kind).toBe("refused");
  });

  test("the distance is up to twice the interval, by chance", async () => {
    const { WasmHost } = await import("../src/index.ts");
    const late = new WasmHost({ services: host.services, metrics: host.metrics, random: () => 0.5 });
    const plugin = late.create(config({ failurePolicy: "reload" }), await load(marker("a")));
    send(plugin, "/trap");
    host.services.clock.advance(1499);
    expect(send(plugin)).toBe("fail");
    host.services.clock.advance(1);
    expect(send(plugin)).toBe("a");
  });

  test("only what failed at run time is reloaded", async () => {
    const plugin = await host.plugin(marker("a", refusing), { failurePolicy: "reload" });
    host.services.clock.advance(10_000);
    expect(send(plugin)).toBe("fail");
    expect(plugin.status()).toMatchObject({
      state: "failed",
      lastFailure: { kind: "refused", callback: "proxy_on_configure" },
    });
  });
});

describe("another version", () => {
  test("new streams get it, those under way stay; the old VM goes with its last stream", async () => {
    const plugin = await host.plugin(
      marker("a", '(func (export "proxy_on_request_body") (param i32 i32 i32) (result i32) (i32.const 1))'),
    );
    const { context } = host.open(plugin);
    context.onRequestHeaders(false);
    expect(plugin.update(config(), await load(marker("b")))).toBeNull();
    expect(send(plugin)).toBe("b");
    expect(host.host.vms).toBe(2);
    expect(context.onRequestBody(Buffer.from("x"), true)).toBe(1);
    context.onDestroy();
    expect(host.host.vms).toBe(1);
  });

  test("one that can't be configured changes nothing", async () => {
    const plugin = await host.plugin(marker("a"));
    expect(plugin.update(config(), await load(marker("b", refusing)))).toMatchObject({ kind: "refused" });
    expect(send(plugin)).toBe("a");
    expect(plugin.status().state).toBe("running");
    expect(host.host.vms).toBe(1);
  });

  test("one that fails gives way to the last good one, visibly", async () => {
    const plugin = await host.plugin(marker("a"));
    const good = plugin.status().digest;
    const bad = await load(marker("b"));
    plugin.update(config(), bad);
    expect(send(plugin, "/trap")).toBe("reply 503 wasm_fail_stream");
    expect(send(plugin)).toBe("a");
    expect(plugin.status()).toMatchObject({ state: "rolled_back", digest: good, refusedDigest: bad.digest });
    expect(host.metrics.text()).toContain('mixerless_plugin_rollbacks_total{plugin="test"} 1');
    expect(host.services.texts(4).at(-1)).toContain(`version ${bad.digest.slice(0, 12)} failed 1 times`);
  });

  test("one that is reloaded has three tries", async () => {
    const plugin = await host.plugin(marker("a"), { failurePolicy: "reload" });
    plugin.update(config({ failurePolicy: "reload", rollbackAfter: 3 }), await load(marker("b")));
    for (let i = 0; i < 3; i++) {
      host.services.clock.advance(1000);
      expect(send(plugin)).toBe("b");
      send(plugin, "/trap");
    }
    expect(send(plugin)).toBe("a");
  });

  test("it can be switched off, and a version that has proved itself has no one behind it", async () => {
    const off = await host.plugin(marker("a"));
    off.update(config({ rollback: false }), await load(marker("b")));
    send(off, "/trap");
    expect(send(off)).toBe("fail");
    const old = await host.plugin(marker("a"));
    old.update(config({ probation: 60_000 }), await load(marker("b")));
    host.services.clock.advance(60_000);
    send(old, "/trap");
    expect(send(old)).toBe("fail");
  });

  test("swapped a hundred times under streams: none fails, and no VM is left behind", async () => {
    const plugin = await host.plugin(marker("a"), { failurePolicy: "open" });
    const versions = [await load(marker("a")), await load(marker("b"))];
    const open: ReturnType<TestHost["open"]>[] = [];
    for (let i = 0; i < 100; i++) {
      const one = host.open(plugin);
      open.push(one);
      one.context.onRequestHeaders(true);
      plugin.update(config({ failurePolicy: "open", configuration: Buffer.from(`${i}`) }), versions[i % 2] as never);
      expect(send(plugin)).toBe(i % 2 === 0 ? "a" : "b");
      if (open.length > 5) open.shift()?.context.onDestroy();
    }
    for (const { context } of open) context.onDestroy();
    expect(host.host.vms).toBe(1);
    expect(plugin.status()).toMatchObject({ state: "running", failures: 0, bypassedStreams: 0 });
  });
});

describe("VMs", () => {
  test("uses that agree in everything share one; a root context each", async () => {
    const module = await load(marker("a"));
    const first = host.host.create(config({ rootId: "one" }), module);
    const second = host.host.create(config({ rootId: "two" }), module);
    expect(host.host.vms).toBe(1);
    expect([first.version.root?.id, second.version.root?.id]).toEqual([1, 2]);
    host.host.create(config({ vmId: "other" }), module);
    host.host.create(config({ vmConfiguration: Buffer.from("x") }), module);
    host.host.create(config({ environment: new Map([["A", "1"]]) }), module);
    expect(host.host.vms).toBe(4);
  });

  test("a configuration that fails is tried apart from the VM that serves", async () => {
    const fussy = marker(
      "a",
      '(func (export "proxy_on_configure") (param i32 $n i32) (result i32) (if (local.get 1) (then (unreachable))) (i32.const 1))',
    ).replace("$n i32", "i32");
    const module = await load(fussy);
    const good = host.host.create(config(), module);
    const bad = host.host.create(config({ configuration: Buffer.from("bad") }), module);
    expect(bad.status()).toMatchObject({ state: "failed", lastFailure: { kind: "trap" } });
    expect(send(good)).toBe("a");
  });

  test("a trap hits all who share the VM, and a new user gets a new one", async () => {
    const module = await load(marker("a"));
    const first = host.host.create(config(), module);
    const second = host.host.create(config({ extra: "twin" }), module);
    send(first, "/trap");
    expect(send(second)).toBe("fail");
    expect(send(host.host.create(config(), module))).toBe("a");
  });
});

describe("shutting down", () => {
  const patient = `(func (export "proxy_on_done") (param i32) (result i32) (i32.const 0))
    (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (drop (call $proxy_set_tick_period_milliseconds (i32.const 10))) (i32.const 1))
    (global $ticks (mut i32) (i32.const 0))
    (func (export "proxy_on_tick") (param i32)
      (global.set $ticks (i32.add (global.get $ticks) (i32.const 1)))
      (if (i32.ge_u (global.get $ticks) (i32.const 3)) (then (drop (call $proxy_log (i32.const 2) (i32.const 0) (call $proxy_done))))))
    (func (export "proxy_on_delete") (param i32) (drop (call $proxy_log (i32.const 2) (i32.const 0) (i32.const 6))))`;

  test("a root context that isn't done keeps ticking until it says so", async () => {
    const timers = host.services.clock.pending;
    const plugin = await host.plugin(marker("a", patient));
    host.host.remove(plugin);
    expect(host.host.vms).toBe(1);
    host.services.clock.advance(29);
    expect(host.services.texts()).toEqual([]);
    host.services.clock.advance(1);
    expect(host.services.texts()).toEqual(["wasm log: ", "wasm log: x-mark"]);
    expect(host.host.vms).toBe(0);
    host.services.clock.advance(100);
    expect(host.services.entries).toHaveLength(2);
    expect(host.services.clock.pending).toBe(timers);
  });

  test("closing the host leaves no timer behind", async () => {
    await host.plugin(marker("a", '(func (export "proxy_on_tick") (param i32))'));
    host.close();
    expect(host.services.clock.pending).toBe(0);
  });
});

describe("capabilities", () => {
  test("what isn't allowed answers 10 or 76, or isn't called; the rest works", async () => {
    const body = marker(
      "a",
      `(func (export "proxy_on_log") (param i32) (drop (call $proxy_log (i32.const 2) (i32.const 0) (i32.const 6))))
       (func (export "proxy_on_vm_start") (param i32 i32) (result i32)
         (i32.eq (i32.const 86) (i32.add (call $proxy_done) (call $random_get (i32.const 0) (i32.const 0)))))`,
    );
    const allowed = ["proxy_on_request_headers", "proxy_on_vm_start", "proxy_add_header_map_value", "proxy_log"];
    const plugin = await host.plugin(body, { capabilities: new Set(allowed) });
    expect(plugin.status().state).toBe("running");
    expect(send(plugin)).toBe("a");
    expect(host.services.texts()).toEqual([
      "wasm log: Attempted call to restricted proxy-wasm capability: proxy_done",
      "wasm log: Attempted call to restricted WASI capability: random_get",
      "wasm log test: Attempted call to restricted proxy-wasm capability: proxy_get_header_map_value",
    ]);
  });
});

describe("the environment", () => {
  test("what is given, and the host's only by name; a name in both is a fault", () => {
    const host = { HOME: "/root", SECRET: "s" };
    expect(resolveEnvironment({ keyValues: { A: "1" }, hostKeys: ["HOME", "UNSET"] }, host)).toEqual(
      new Map([
        ["A", "1"],
        ["HOME", "/root"],
      ]),
    );
    expect(resolveEnvironment({ keyValues: { A: "1" }, hostKeys: ["A"] }, host)).toEqual({
      fault: "environment_variables: A is in key_values and in host_env_keys. Leave one of them out",
    });
  });
});
