import { describe, expect, it } from "vitest";
import { compileExpression } from "../compile/program.ts";
import { describeFaults } from "../syntax/fault.ts";
import { typeText } from "../types/type.ts";
import { attributeEnvironment } from "./vocabulary.ts";

const strict = attributeEnvironment(false);
const open = attributeEnvironment(true);
const nowhere = { resolve: () => () => undefined };

function faults(source: string): string {
  return describeFaults(compileExpression(source, strict, nowhere).faults ?? []);
}

function type(source: string): string {
  const { program, faults: found } = compileExpression(source, strict, nowhere);
  return program === undefined ? describeFaults(found) : typeText(program.type);
}

describe("the check against the vocabulary", () => {
  it.each([
    ["request.method", "string"],
    ["request['method']", "string"],
    ["request.headers['x-a']", "string"],
    ["request.headers.host.size()", "int"],
    ["request.duration > duration('1s')", "bool"],
    ["request.time.getHours('Europe/Berlin')", "int"],
    ["response.code / 100", "int"],
    ["response.trailers", "map(string, string)"],
    ["connection.mtls", "bool"],
    ["upstream.locality.zone", "string"],
    ["xds.node.metadata['WORKLOAD_NAME']", "dyn"],
    ["xds.node.metadata['WORKLOAD_NAME'] + '-x'", "string"],
    ["xds.cluster_metadata.filter_metadata.istio.services[0].name", "dyn"],
    ["node.metadata['A']", "dyn"],
    ["filter_state.upstream_peer.workload", "string"],
    ["filter_state['upstream_peer'].labels['app']", "string"],
    ["filter_state['my.own'].anything", "dyn"],
    ["upstream_peer.labels['app'].value", "string"],
    ["metadata.filter_metadata['envoy.filters.http.jwt_authn']['iss']", "dyn"],
    ["istio_responseClass", "dyn"],
    ["has(request.headers.host)", "bool"],
    ["request.headers.exists(h, h.startsWith('x-'))", "bool"],
    ["'a' in request.headers", "bool"],
    ["request.path.split('/')[1].upperAscii()", "string"],
  ])("gives %s the type %s", (source, expected) => {
    expect(type(source)).toBe(expected);
  });

  it.each([
    ["reqest.method", '1:1: unknown attribute "reqest"; did you mean "request"?'],
    ["request.methd", '1:8: request has no field "methd"; did you mean "method"?'],
    ["request['methd']", '1:9: request has no field "methd"; did you mean "method"?'],
    ["has(response.cod)", '1:13: response has no field "cod"; did you mean "code"?'],
    ["filter_state.upstream_peer.workloads", '1:27: peer has no field "workloads"; did you mean "workload"?'],
    ["request.method.length", '1:15: a string has no fields, so no "length"'],
    ["response.code == '200'", '1:15: "==" cannot be applied to int and string; convert with int(…) or string(…)'],
    ["'c' + response.code", '1:5: "+" cannot be applied to string and int; convert with string(…)'],
    ["connection.id == 1", '1:15: "==" cannot be applied to uint and int; convert with uint(…)'],
    ["request.method && true", "1:8: what && combines must be bool, not string"],
    ["request.method ? 1 : 2", "1:8: the condition before ? must be bool, not string"],
    ["true ? 1 : 'a'", "1:6: the two values of ? differ in type: int and string"],
    ["request.method.startWith('G')", '1:15: there is no function "startWith" on a value; did you mean "startsWith"?'],
    ["lenght(request.method)", '1:1: there is no function "lenght"'],
    [
      "request.method.startsWith(1)",
      "1:15: there is no string.startsWith(int); there is string.startsWith(string) -> bool",
    ],
    ["request.method.all(c, c == 'a')", "1:8: all() needs a list or a map, not string"],
    ["[1].all(x, x)", "1:12: the condition of all() must be bool, not int"],
    ["Foo{a: 1}", '1:1: there is no type "Foo"'],
    ["a + b", '1:1: unknown attribute "a"; 1:5: unknown attribute "b"'],
  ])("refuses %s", (source, message) => {
    expect(faults(source)).toBe(message);
  });

  it("shows 20 faults at most", () => {
    expect(faults(Array.from({ length: 100 }, (_, i) => `a${i}`).join(" + ")).split("; ").length).toBe(20);
  });
});

describe("the open vocabulary, which is how Envoy takes expressions", () => {
  const compile = (source: string) => compileExpression(source, open, nowhere, { checks: "functions" });

  it("leaves types and unknown names to the evaluation", () => {
    for (const source of ["no.such.thing", "request.method + 1", "response.code", "request.nothing == 'x'"]) {
      const { program } = compile(source);
      expect(program?.evaluate(null), source).toHaveProperty("reason");
    }
  });

  it("refuses functions that there are not", () => {
    expect(compile("f(1) == 2").faults).toEqual([{ line: 1, column: 1, message: 'there is no function "f"' }]);
  });
});
