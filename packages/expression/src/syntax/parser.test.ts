import { describe, expect, it } from "vitest";
import { describeFaults } from "./fault.ts";
import { parse } from "./parser.ts";

const fault = (source: string) => describeFaults(parse(source).faults ?? []);

describe("a fault of syntax names line, column and cure", () => {
  it.each([
    ["", "1:1: the expression is empty"],
    ["request.code = 200", '1:14: "=" is not an operator; compare with "=="'],
    ["a &&\n  b & c", '2:5: "&" is not an operator; write "&&"'],
    ["(a || b", '1:8: a ")" is missing after the expression in parentheses; the expression ends here'],
    ["a b", '1:3: an operator is missing; found "b"'],
    ["a ? b", '1:6: a ":" is missing after the value for true; the expression ends here'],
    ["'ü' + 'abc", "1:7: this text does not end; a closing ' is missing"],
    ['"a\nb"', '1:1: this text does not end; a closing " is missing'],
    ["'\\q'", '1:2: \\q is not an escape; write \\\\ for a backslash, or a raw text r"…"'],
    ["'\\ud800'", "1:2: \\ud800 is not a character"],
    ["9223372036854775808", "1:1: 9223372036854775808 does not fit into 64 bits"],
    ["18446744073709551616u", "1:1: 18446744073709551616u does not fit into 64 bits"],
    ["12abc", '1:3: "a" does not belong into a number'],
    ["a.in", '1:3: "in" cannot be a field name; found "in"'],
    ["for == 1", '1:1: "for" is a reserved word; it cannot be a name'],
    ["a #", '1:3: "#" does not belong into an expression'],
    [
      "has(a['b-c'])",
      "1:1: has() asks for one field, e.g. has(request.headers.host); for other names write 'x-name' in request.headers",
    ],
    ["a.all(b.c, true)", "1:8: the first argument of all() names its variable: it must be a plain name"],
    ["a.all(b, b, true)", "1:10: all() needs two different names"],
    ["[1, 2", '1:6: "," or "]" is missing; the expression ends here'],
    ["{'a' 1}", '1:6: a ":" is missing after the key; found "1"'],
    ["f(1 2)", '1:5: a ")" is missing after the arguments of f; found "2"'],
  ])("%j", (source, message) => {
    expect(fault(source)).toBe(message);
  });
});

describe("the limits", () => {
  it("bound the length of the source", () => {
    expect(fault(`'${"a".repeat(40_000)}'`)).toMatch(/has 40002 characters, 32768 are the limit; split it/);
  });

  it("bound the number of parts", () => {
    expect(fault(`[${"1,".repeat(11_000)}1]`)).toMatch(/more than 10000 parts; split it/);
  });

  it.each([
    ["parentheses", "(".repeat(5000)],
    ["lists", "[".repeat(5000)],
    ["maps", "{1:".repeat(5000)],
    ["sums", `1${"+1".repeat(4000)}`],
    ["selections", `a${".b".repeat(4000)}`],
    ["conditions", "a?b:".repeat(4000)],
    ["calls", "f(".repeat(5000)],
    ["methods", `a${".f()".repeat(4000)}`],
    ["indices", `a${"[0]".repeat(4000)}`],
    ["loops", "[1].map(x,".repeat(2000)],
    ["optional chains", `a${".?b".repeat(4000)}`],
  ])("bound the depth of %s without using up the stack", (_what, source) => {
    expect(fault(source)).toMatch(/nested more than 200 levels deep; split it/);
  });

  it("let long chains of && and || pass, which are not deep", () => {
    expect(parse(`a${" || a".repeat(4000)}`).faults).toBeUndefined();
    expect(parse(`a${" && a".repeat(4000)}`).faults).toBeUndefined();
  });

  it("let many signs pass: only whether their number is even matters", () => {
    expect(parse(`${"!".repeat(20_000)}a`).faults).toBeUndefined();
    expect(parse(`${"-".repeat(20_000)}1`).faults).toBeUndefined();
  });
});
