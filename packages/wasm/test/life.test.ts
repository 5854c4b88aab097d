import { beforeEach, describe, expect, test } from "vitest";
import { FakeHttpStream, TestHost } from "../src/testing/index.ts";
import { World } from "./guest.ts";

let host: TestHost;

beforeEach(() => {
  host = new TestHost();
});

/** Logs a digit. */
const NOTE = `(func $note (param $digit i32)
  (i32.store8 (i32.const 2000) (i32.add (i32.const 48) (local.get $digit)))
  (drop (call $proxy_log (i32.const 2) (i32.const 2000) (i32.const 1))))`;
const notes = () => host.services.texts(2).map((text) => text.replace(/^wasm log( \w+)*: /, ""));

const callback = (name: string, parameters: string, result: string, body: string) =>
  `(func (export "proxy_on_${name}") ${parameters} ${result} ${body})`;

describe("configurations", () => {
  const status = (type: number) =>
    `(call $note (call $proxy_get_buffer_status (i32.const ${type}) (i32.const 8) (i32.const 12)))`;
  const both = `${status(6)} ${status(7)}`;

  test("the VM's can always be read, the plugin's while it is created and configured", async () => {
    const body = [
      NOTE,
      callback("context_create", "(param i32 i32)", "", both),
      callback("vm_start", "(param i32 i32)", "(result i32)", `${both} (i32.const 1)`),
      callback("configure", "(param i32 i32)", "(result i32)", `${both} (i32.const 1)`),
      callback("request_headers", "(param i32 i32 i32)", "(result i32)", `${both} (i32.const 0)`),
    ].join("");
    const { context } = host.open(await host.plugin(body));
    context.onRequestHeaders(true);
    // Context, start, configure; the stream's context, its headers.
    expect(notes().join("")).toBe("00" + "01" + "00" + "01" + "01");
  });

  test("0.1.0 reads the one that fits the moment", async () => {
    const size =
      "(drop (call $proxy_get_configuration (i32.const 8) (i32.const 12))) (call $note (i32.load (i32.const 12)))";
    const body = [
      NOTE,
      callback("vm_start", "(param i32 i32)", "(result i32)", `${size} (i32.const 1)`),
      callback("configure", "(param i32 i32)", "(result i32)", `${size} (i32.const 1)`),
      callback("request_headers", "(param i32 i32)", "(result i32)", `${size} (i32.const 0)`),
    ].join("");
    const config = { vmConfiguration: Buffer.from("1"), configuration: Buffer.from("22") };
    const { context } = host.open(await host.plugin(body, config, { abi: "0_1_0" }));
    context.onRequestHeaders(true);
    expect(notes()).toEqual(["1", "2", "1"]);
  });

  test("start functions run in order, before any context; callbacks that are missing count as yes", async () => {
    const body = `${NOTE}
      (func $first (call $note (i32.const 1))) (start $first)
      (func (export "_initialize") (call $note (i32.const 2)))
      (func (export "_start") (call $note (i32.const 9)))
      (func (export "main") (param i32 i32) (result i32) (call $note (i32.const 3)) (i32.const 0))`;
    const plugin = await host.plugin(body);
    expect(plugin.status().state).toBe("running");
    expect(notes()).toEqual(["1", "2", "3"]);
  });
});

describe("memory", () => {
  test("views are fresh after the module, or its allocator, has made it grow", async () => {
    // Each allocation is at the beginning of a page that wasn't there before.
    const growing = `(func (export "malloc") (param i32) (result i32) (i32.mul (memory.grow (i32.const 1)) (i32.const 65536)))`;
    const body = `(data (i32.const 0) ":pathx-copy")
      (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
        (drop (memory.grow (i32.const 3)))
        (drop (call $proxy_get_header_map_value (i32.const 0) (i32.const 0) (i32.const 5) (i32.const 64) (i32.const 68)))
        (drop (call $proxy_add_header_map_value (i32.const 0) (i32.const 5) (i32.const 6) (i32.load (i32.const 64)) (i32.load (i32.const 68))))
        (i32.const 0))`;
    const plugin = await host.plugin(body, {}, { allocator: growing });
    for (let i = 0; i < 3; i++) {
      const { context, stream } = host.open(plugin, new FakeHttpStream([[":path", `/${i}`]]));
      context.onRequestHeaders(true);
      expect(stream.headers(0)?.value("x-copy")).toBe(`/${i}`);
    }
    expect(plugin.status().memory).toBe(13 * 65_536);
  });

  test("of a VM that several use is divided among them, and a name has the sum of its places", async () => {
    const [one, two] = [await host.plugin(""), await host.plugin("")];
    expect([host.host.vms, one.status().memory, two.status().memory]).toEqual([1, 32_768, 32_768]);
    const told = () => /^mixerless_plugin_memory_bytes\{plugin="test"\} (\d+)$/m.exec(host.metrics.text())?.[1];
    host.services.clock.advance(1000);
    expect(told()).toBe("65536");
    host.host.remove(one);
    expect([two.status().memory, told()]).toEqual([65_536, "65536"]);
    host.host.remove(two);
    expect(told()).toBe("0");
  });
});

describe("what catches exceptions doesn't live on", () => {
  test("a module that catches its own exit", async () => {
    const body = `(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (loop $again (try (do (call $proc_exit (i32.const 0))) (catch_all)) (br $again)) (i32.const 0))`;
    const { context } = host.open(await host.plugin(body));
    expect(context.onRequestHeaders(true)).toBe(4);
    expect(host.services.texts(4)[0]).toContain("proc_exit(0)");
  });

  test("one that catches and returns", async () => {
    const body = `(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (try (do (call $proc_exit (i32.const 0))) (catch_all)) (i32.const 0))`;
    const plugin = await host.plugin(body);
    expect(host.open(plugin).context.onRequestHeaders(true)).toBe(4);
    expect(plugin.status().lastFailure?.kind).toBe("exit");
  });
});

test("a start that takes too long is stopped by the clock where the fuel would last", async () => {
  const loop = '(func (export "_initialize") (loop $l (br $l)))';
  const plugin = await host.plugin(loop, { limits: { startTimeout: 5, startFuel: 2_147_483_647 } });
  expect(plugin.status()).toMatchObject({
    state: "failed",
    lastFailure: { kind: "timeout", callback: "_initialize", message: "took more than 5 ms" },
    limitHits: { startTimeout: 1 },
  });
});

test("metadata and statistics reach the module", async () => {
  const body = [
    NOTE,
    callback("request_metadata", "(param i32 i32)", "(result i32)", "(call $note (local.get 1)) (i32.const 0)"),
    callback("response_metadata", "(param i32 i32)", "(result i32)", "(call $note (local.get 1)) (i32.const 0)"),
    '(func (export "envoy_on_stats_update") (param i32 i32) (call $note (local.get 1)))',
  ].join("");
  const plugin = await host.plugin(body);
  const { context } = host.open(plugin);
  context.onRequestHeaders(true);
  context.onRequestMetadata(2);
  context.onResponseMetadata(3);
  plugin.version.root?.onStatsUpdate(Buffer.from("12345"));
  expect(notes()).toEqual(["2", "3", "5"]);
});

test("ids pass the boundary unharmed, large and negative numbers too", async () => {
  const guest = await new World().guest();
  const { context } = guest.http();
  guest.inside(context, () => {
    expect(guest.call("proxy_set_effective_context", 3_333_333_333 | 0)).toBe(2);
    expect(guest.call("proxy_set_effective_context", -1)).toBe(2);
    expect(guest.call("proxy_set_tick_period_milliseconds", -1)).toBe(0);
  });
});

test("a backtrace has as many as twenty frames", async () => {
  const body = `(func $f (param i32) (if (i32.eqz (local.get 0)) (then (unreachable))) (call $f (i32.sub (local.get 0) (i32.const 1))))
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (call $f (i32.const 50)) (i32.const 0))`;
  const plugin = await host.plugin(body);
  const limit = Error.stackTraceLimit;
  host.open(plugin).context.onRequestHeaders(true);
  expect(plugin.status().lastFailure?.backtrace).toHaveLength(20);
  expect(Error.stackTraceLimit).toBe(limit);
});
