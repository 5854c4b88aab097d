import { beforeEach, describe, expect, test } from "vitest";
import type { Plugin } from "../src/index.ts";
import { callback, LOOP, RESULT, request } from "../src/testing/hostile-text.ts";
import { FakeHttpStream, TestHost } from "../src/testing/index.ts";

let host: TestHost;

beforeEach(() => {
  host = new TestHost();
});

/** A stream without a body; what its plugin said to its request. */
function stream(plugin: Plugin): { outcome: string } {
  const context = plugin.openHttp(new FakeHttpStream());
  if (typeof context === "string") return { outcome: context };
  const answer = context.onRequestHeaders(true);
  context.onLog();
  context.onDestroy();
  return { outcome: `answered ${answer}` };
}

/** Uses about nine units of fuel for each of its argument. */
const SPEND = `(func $f (param $n i32) (loop $l
  (local.set $n (i32.sub (local.get $n) (i32.const 1)))
  (br_if $l (local.get $n))))`;

describe("limits", () => {
  test("fuel is per callback and full again for the next", async () => {
    const plugin = await host.plugin(request("(call $f (i32.const 5000))", SPEND), {
      limits: { callbackFuel: 60_000 },
    });
    for (let i = 0; i < 5; i++) expect(stream(plugin).outcome).toBe("answered 0");
  });

  test("a stream's fuel is used up by all its callbacks together", async () => {
    const spend = "(call $f (i32.const 5000))";
    const body =
      request(spend, SPEND) +
      callback("request_body", "(param i32 i32 i32)", RESULT, `${spend} (return (i32.const 0))`);
    const plugin = await host.plugin(body, { limits: { callbackFuel: 60_000, streamFuel: 150_000 } });
    const { context } = host.open(plugin);
    const answers = [context.onRequestHeaders(false)];
    for (let i = 0; i < 4; i++) answers.push(context.onRequestBody(Buffer.from("x"), false));
    expect(answers.slice(0, 2)).toEqual([0, 0]);
    expect(answers.at(-1)).toBe(3);
    expect(plugin.status()).toMatchObject({ lastFailure: { kind: "fuel" }, limitHits: { streamFuel: 1 } });
  });

  test("limits change while the plugin runs", async () => {
    const plugin = await host.plugin(request("(call $f (i32.const 5000))", SPEND));
    expect(stream(plugin).outcome).toBe("answered 0");
    plugin.setLimits({ callbackFuel: 1000 });
    expect(stream(plugin).outcome).toBe("answered 4");
    expect(plugin.status().limitHits).toEqual({ callbackFuel: 1 });
  });

  test("a limit that can't be one is refused with its name", async () => {
    const plugin = await host.plugin("");
    expect(() => plugin.setLimits({ callbackFuel: 2 ** 31 })).toThrow("callbackFuel can't be 2147483648");
    expect(() => plugin.setLimits({ logRate: -1 })).toThrow("logRate can't be -1");
  });

  test("log messages: a burst, then so many a second, the rest counted and mentioned", async () => {
    const say = "(drop (call $proxy_log (i32.const 2) (i32.const 0) (i32.const 3)))";
    const plugin = await host.plugin(request(say.repeat(30), '(data (i32.const 0) "abc")'), { limits: { logRate: 1 } });
    stream(plugin);
    expect(host.services.texts()).toHaveLength(10);
    host.services.clock.advance(2000);
    stream(plugin);
    expect(host.services.texts().slice(10)).toEqual([
      "wasm log test: 20 messages were left out: more than 1 a second",
      "wasm log test: abc",
      "wasm log test: abc",
    ]);
    expect(plugin.status().limitHits).toEqual({ logRate: 48 });
  });

  test("a long message is cut", async () => {
    const plugin = await host.plugin(
      request("(drop (call $proxy_log (i32.const 2) (i32.const 0) (i32.const 9)))", '(data (i32.const 0) "123456789")'),
      {
        limits: { logBytes: 4 },
      },
    );
    stream(plugin);
    expect(host.services.texts()).toEqual(["wasm log test: 1234 … (cut)"]);
  });

  test("what plugins ran into and how they failed is counted in the store", async () => {
    const plugin = await host.plugin(request(LOOP), { limits: { callbackFuel: 1_000_000 } });
    stream(plugin);
    stream(plugin);
    host.services.clock.advance(1000);
    const text = host.metrics.text();
    expect(text).toContain('mixerless_plugin_failures_total{plugin="test",kind="fuel"} 1');
    expect(text).toContain('mixerless_plugin_limit_hits_total{plugin="test",limit="callbackFuel"} 1');
    expect(text).toContain('mixerless_plugin_streams_total{plugin="test",outcome="failed"} 2');
    expect(text).toContain('mixerless_plugin_calls_total{plugin="test"} 1');
    expect(text).toContain("envoy_wasm_envoy_wasm_runtime_v8_created 1");
    expect(text).toContain("envoy_wasm_envoy_wasm_runtime_v8_active 0");
  });
});
