import { describe, expect, it } from "vitest";
import { parseAttributePath, parseTextLiteral } from "./attribute-path.ts";

describe("parseAttributePath", () => {
  it.each([
    ["request.protocol", ["request", "protocol"]],
    [" xds.node.metadata['WORKLOAD_NAME'] ", ["xds", "node", "metadata", "WORKLOAD_NAME"]],
    ["filter_state['wasm.istio_responseClass']", ["filter_state", "wasm.istio_responseClass"]],
    ['a["b.c"][0].d', ["a", "b.c", "0", "d"]],
    ["plugin_name", ["plugin_name"]],
    ["AZaz_09.Z9[90]", ["AZaz_09", "Z9", "90"]],
  ])("%s is a path", (text, path) => {
    expect(parseAttributePath(text)).toEqual(path);
  });

  it.each([
    "",
    "1",
    "'text'",
    "true",
    "null",
    "a.",
    "a..b",
    "a[",
    "a[b]",
    "a['b]",
    "a['b\\'c']",
    "a + b",
    "a()",
    "a.b c",
    "a['b'0]",
    "a[]",
    "a[1234567890]",
  ])("%j is not", (text) => {
    expect(parseAttributePath(text)).toBeNull();
  });
});

describe("parseTextLiteral", () => {
  it.each([
    ["'proxy'", "proxy"],
    [' "a b" ', "a b"],
    ["''", ""],
    ["'a' + 'b'", null],
    ["'a\\n'", null],
    ["proxy", null],
    ["'", null],
    ["'a\"", null],
  ])("%s", (text, literal) => {
    expect(parseTextLiteral(text)).toBe(literal);
  });
});
