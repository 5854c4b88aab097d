import { describe, expect, it } from "vitest";
import { type Environment, NO_TYPES, variablesOf } from "../check/environment.ts";
import { FunctionTable } from "../library/function-table.ts";
import { standardLibrary } from "../library/standard.ts";
import { stringsLibrary } from "../library/strings.ts";
import { DYN } from "../types/type.ts";
import { Abnormal, Unknown } from "../values/abnormal.ts";
import { LiteralMap, type Result, type Value } from "../values/value.ts";
import type { AttributeSource } from "./attribute-source.ts";
import { type CompileOptions, compileExpression, type Program } from "./program.ts";

type Attributes = Readonly<Record<string, Result | undefined>>;

const NAMES = ["a", "b", "c", "m", "u", "v", "e", "no", "long", "list"];
const environment: Environment = {
  variables: variablesOf(new Map(NAMES.map((name) => [name, DYN]))),
  functions: new FunctionTable([standardLibrary(), stringsLibrary()]),
  types: NO_TYPES,
  container: "",
};
/** Every path is one attribute, written with dots. */
const byPath: AttributeSource<Attributes> = { resolve: (path) => (source) => source[path.join(".")] };
/** Only variables; what is below is selected. */
const byName: AttributeSource<Attributes> = {
  resolve: (path) => (path.length === 1 ? (source) => source[path[0] ?? ""] : null),
};

function program(source: string, options: CompileOptions = {}, attributes = byPath): Program<Attributes> {
  const compiled = compileExpression(source, environment, attributes, options);
  if (compiled.faults !== undefined) throw new Error(compiled.faults[0]?.message);
  return compiled.program;
}

const evaluate = (source: string, attributes: Attributes = {}, from = byPath) =>
  program(source, {}, from).evaluate(attributes);
const reason = (source: string, attributes: Attributes = {}, from = byPath) => {
  const result = evaluate(source, attributes, from);
  return result instanceof Abnormal ? result.reason : `no failure but ${String(result)}`;
};

describe("attributes", () => {
  it("are read by their whole path in one step", () => {
    const seen: string[] = [];
    const spy: AttributeSource<Attributes> = {
      resolve: (path) => {
        seen.push(path.join("."));
        return byPath.resolve(path);
      },
    };
    expect(evaluate("a.b['c-d'] == 'x'", { "a.b.c-d": "x" }, spy)).toBe(true);
    expect(seen).toEqual(["a.b.c-d"]);
  });

  it("that are absent fail with their path", () => {
    expect(reason("a.b")).toBe("no such attribute here: a.b");
    expect(reason("a.b == 'x'")).toBe("no such attribute here: a.b");
  });

  it("below a variable are selected where the host knows only that", () => {
    const m = new LiteralMap();
    m.add("k", "v");
    expect(evaluate("m.k", { m }, byName)).toBe("v");
    expect(evaluate("m['k']", { m }, byName)).toBe("v");
    expect(reason("m.x", { m }, byName)).toBe("no such key: x");
    expect(evaluate("has(m.k) && !has(m.x)", { m }, byName)).toBe(true);
  });

  it("are tested by has(), which fails where what they would stand in is absent", () => {
    expect(evaluate("has(a.b)", { a: "there", "a.b": "x" })).toBe(true);
    expect(evaluate("has(a.b)", { a: "there" })).toBe(false);
    expect(reason("has(a.b)")).toBe("no such attribute here: a");
  });
});

describe("errors", () => {
  const bad = { e: undefined };

  it.each([
    ["e || true", true],
    ["true || e", true],
    ["e && false", false],
    ["false && e", false],
    ["a || e || b", true],
    ["false ? e : 1", 1],
    ["[1, 2].exists(x, x / 0 == 1 || x == 2)", true],
    ["[1, 2].all(x, x / 0 == 1 && x == 2)", false],
  ])("do not matter where the result is decided: %s", (source, expected) => {
    expect(evaluate(source, { ...bad, a: false, b: true })).toBe(expected);
  });

  it.each(["e || false", "e && true", "e ? 1 : 2", "!e", "e == 1", "[e]", "{'a': e}", "size(e)", "true && 1 / 0 > 1"])(
    "spread otherwise: %s",
    (source) => {
      expect(evaluate(source, bad)).toBeInstanceOf(Abnormal);
    },
  );

  it("of the host are failures of the expression, not of the caller", () => {
    const broken: AttributeSource<Attributes> = {
      resolve: () => () => {
        throw new Error("broken");
      },
    };
    expect(reason("a", {}, broken)).toBe("internal error: broken");
  });
});

describe("what is not known yet", () => {
  const u = new Unknown(["u"]);
  const v = new Unknown(["v"]);

  it.each([
    ["u || true", true],
    ["false && u", false],
    ["u == 1 || a", true],
  ])("does not matter where the result is decided: %s", (source, expected) => {
    expect(evaluate(source, { u, a: true })).toBe(expected);
  });

  it.each([
    ["u == 1 && v == 2", ["u", "v"]],
    ["u + v", ["u", "v"]],
    ["u || e", ["u"]],
    ["e && u", ["u"]],
    ["e + u", ["u"]],
    ["u ? 1 : 2", ["u"]],
    ["[1, 2].exists(x, x == u)", ["u"]],
    ["size(u)", ["u"]],
    ["has(u.x)", ["u.x"]],
  ])("outweighs errors: %s", (source, expected) => {
    const result = evaluate(source, { u, v, "u.x": new Unknown(["u.x"]) });
    expect(result).toBeInstanceOf(Unknown);
    expect((result as Unknown).attributes).toEqual(expected);
  });
});

describe("the budget", () => {
  const tens = `[${Array.from({ length: 10 }, (_, i) => i).join(",")}]`;
  const list: Value = Array.from({ length: 1000 }, (_, i) => i);

  it.each([
    ["loops in loops", `${`${tens}.all(a, `.repeat(8)}true${")".repeat(8)}`],
    ["lists that double", `[[1]]${".map(x, [x, x])".repeat(30)} == [[1]]${".map(x, [x, x])".repeat(30)}`],
    ["texts that double", `['${"x".repeat(1000)}']${".map(x, x + x)".repeat(40)}`],
    ["lists that are joined", `[list]${".map(x, x + x)".repeat(40)}`],
    ["maps of lists", "list.map(x, list.map(y, x + y))"],
    ["membership", "list.all(x, x in list)"],
    ["replaced texts", `'aaaaaaaa'${".replace('a', 'aaaaaaaa')".repeat(20)}`],
    ["patterns over long texts", `list.all(x, !long.matches('(a+)+b'))`],
    ["patterns that change", "list.exists(x, 'a'.matches(string(x) + '+'))"],
    ["formats", `list.all(x, '%.100f%.100f%.100f'.format([x, x, x]) != '')`],
  ])("ends %s", (_what, source) => {
    const attributes = { list, long: "a".repeat(60_000) };
    expect(reason(source, attributes)).toBe("the evaluation exceeds its budget");
  });

  it("is given anew to each evaluation", () => {
    const loop = program("list.all(x, x >= 0)");
    for (let i = 0; i < 100; i++) expect(loop.evaluate({ list })).toBe(true);
  });

  it("can be chosen", () => {
    expect(program("[1, 2, 3].all(x, x > 0)", { budget: 3 }).evaluate({})).toHaveProperty("reason");
    expect(program("[1, 2, 3].all(x, x > 0)", { budget: 20 }).evaluate({})).toBe(true);
  });
});

describe("a program", () => {
  it("computes what is constant once", () => {
    let reads = 0;
    const counting: AttributeSource<Attributes> = {
      resolve: () => () => {
        reads++;
        return true;
      },
    };
    expect(evaluate("'a' + 'b' == 'ab' || a", {}, counting)).toBe(true);
    expect(evaluate("1 > 2 && a", {}, counting)).toBe(false);
    expect(evaluate("size([1, 2].map(x, x)) == 3 && a", {}, counting)).toBe(false);
    expect(reads).toBe(0);
  });

  it("fails where a constant part does, when it is evaluated", () => {
    expect(reason("1 / 0")).toBe("division by zero");
    expect(reason("9223372036854775807 + 1")).toBe("integer overflow: the result is out of range");
    expect(reason("[1][1]")).toBe("index 1 out of range: the list has 1 elements");
  });

  it("may be evaluated by an attribute that it reads", () => {
    let depth = 0;
    const programs: Program<Attributes>[] = [];
    const recursive: AttributeSource<Attributes> = {
      resolve: () => () => (depth++ === 0 ? ((programs[0]?.evaluate({}) ?? []) as Value[])[0] : "x"),
    };
    programs.push(program("['y', a].map(v, v + v)", {}, recursive));
    expect(programs[0]?.evaluate({})).toEqual(["yy", "yyyy"]);
  });

  it("compares and computes ints beyond what a double holds", () => {
    expect(evaluate("a + 1 == 9007199254740993", { a: 9007199254740992n })).toBe(true);
    expect(evaluate("a * 0", { a: -5 })).toBe(0);
    expect(evaluate("string(a * 0)", { a: -5 })).toBe("0");
    expect(evaluate("9223372036854775807 == 9223372036854775806")).toBe(false);
  });

  it("counts code points", () => {
    expect(evaluate("size(a) == 3 && a.substring(1, 2) == '\\U0001f600'", { a: "x\u{1f600}y" })).toBe(true);
  });
});
