import { VirtualClock } from "@mixerless/clock";
import { MetricStore } from "@mixerless/metrics";
import { describe, expect, it } from "vitest";
import { fakeConnectionInfo } from "../http/testing/fake-connection.ts";
import { headersOf } from "../http/testing/fake-server-codec.ts";
import { StreamInfo } from "../stream/stream-info.ts";
import { Expressions } from "./expressions.ts";
import { createPluginExpressions } from "./plugin-expressions.ts";

const listener = { name: "l", direction: 1, filterChainName: "", metadata: {} };
const scope = { node: { id: "n" }, pluginName: "my.plugin", messageSizes: false };
const info = new StreamInfo(listener, fakeConnectionInfo(), 0, 0);
info.requestHeaders = headersOf({ ":path": "/a", "x-a": "1" });
const stream = { info, listener, scope };

const metrics = new MetricStore({ clock: new VirtualClock() });
const plugins = createPluginExpressions(new Expressions(metrics));

function evaluate(text: string, source: object | null = stream): unknown {
  const compiled = plugins.compile(text);
  if (compiled === null) throw new Error("does not compile");
  return compiled.evaluate(source);
}

const double = (value: number) => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
};

describe("expressions of plugins", () => {
  it.each([
    ["request.path", "/a"],
    ["'ü'", "\xc3\xbc"],
    ["size(request.path)", 2],
    ["9223372036854775807", 2n ** 63n - 1n],
    ["7u", 7n],
    ["1.5", double(1.5)],
    ["2.0", double(2)],
    ["request.path == '/a'", true],
    ["b'\\xff'", new Uint8Array([255])],
    ["duration('1.5s')", 1_500_000_000n],
    ["timestamp('1970-01-01T00:00:01Z')", 1_000_000_000n],
    ["['a', 1, 2.0]", ["a", 1n, double(2)]],
    ["{'a': ['ü']}", new Map([["a", ["\xc3\xbc"]]])],
    ["null", null],
    ["{1: 2}", null],
    ["[null]", null],
    ["type(1)", null],
  ])("%s has its form", (text, expected) => {
    expect(evaluate(text)).toEqual(expected);
  });

  it("do not compile where they are wrong, and throw where they fail", () => {
    expect(plugins.compile("request.path ==")).toBeNull();
    expect(plugins.compile("nonsense(1)")).toBeNull();
    expect(() => evaluate("1 / 0")).toThrow("division by zero");
  });

  it("read what there is without a stream in root contexts", () => {
    const root = { info: null, listener, scope };
    expect(evaluate("xds.node.id", root)).toBe("n");
    expect(() => evaluate("request.path", root)).toThrow(/no such attribute/);
  });

  it("whose values share parts beyond measure have no form", () => {
    expect(evaluate(`[[1]]${".map(x, [x, x])".repeat(40)}`)).toBeNull();
  });

  it("count failures of all plugins as one, whatever their texts are", () => {
    for (let i = 0; i < 5; i++) expect(() => evaluate(`${i} / 0`)).toThrow();
    expect(metrics.text()).toMatch(/errors_total\{expression="\(of a plugin\)",use="wasm"\} \d+/);
    expect(metrics.text().match(/mixerless_expression_errors_total\{/g)?.length).toBe(1);
  });
});
