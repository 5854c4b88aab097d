import { describe, expect, test } from "vitest";
import { parseSource } from "./yaml-document.ts";

const parse = (text: string) => parseSource("f.yaml", text);

describe("documents", () => {
  test("several in one file, empty ones left out", () => {
    expect(parse("# nothing\n---\na: 1\n---\n---\nb: 2\n").objects.map(({ value }) => value)).toEqual([
      { a: 1 },
      { b: 2 },
    ]);
  });

  test("a List is the objects it holds", () => {
    const { objects } = parse("kind: List\nitems:\n- kind: A\n- kind: B\n");
    expect(objects.map(({ value }) => value)).toEqual([{ kind: "A" }, { kind: "B" }]);
    expect(objects[1]?.locate(["kind"])).toEqual({ file: "f.yaml", line: 4, column: 9 });
  });

  test("JSON", () => expect(parse('{"a": [1, {"b": null}]}').objects[0]?.value).toEqual({ a: [1, { b: null }] }));

  test("YAML 1.2: yes is text, 017 is seventeen", () => {
    expect(parse("a: yes\nb: 017\nc: on").objects[0]?.value).toEqual({ a: "yes", b: 17, c: "on" });
  });

  test("merge keys and aliases", () => {
    const { objects } = parse("base: &b {x: 1, y: 2}\nc: {<<: *b, y: 3}\nd: *b");
    expect(objects[0]?.value).toEqual({ base: { x: 1, y: 2 }, c: { x: 1, y: 3 }, d: { x: 1, y: 2 } });
  });

  test("keys such as __proto__ are plain keys", () => {
    const value = parse("__proto__: {polluted: true}").objects[0]?.value as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(["__proto__"]);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describe("places", () => {
  const source = parse("spec:\n  http:\n  - name: a\n  - name: b\n    match: [{uri: {exact: /x}}]\n").objects[0];

  test("of scalars, of collections, of absent fields", () => {
    expect(source?.locate(["spec", "http", 1, "name"])).toMatchObject({ line: 4, column: 11 });
    expect(source?.locate(["spec", "http", 1, "match", 0, "uri", "exact"])).toMatchObject({ line: 5, column: 27 });
    expect(source?.locate(["spec", "http"])).toMatchObject({ line: 2, column: 3 });
    expect(source?.locate(["spec", "http", 1, "route"])).toMatchObject({ line: 4, column: 5 });
    expect(source?.locate([])).toMatchObject({ line: 1, column: 1 });
  });
});

describe("bad text", () => {
  test("a syntax error refuses the file, with place", () => {
    const { objects, faults } = parse("a: 1\n---\nb: [1,\nc: 2\n");
    expect(objects).toEqual([]);
    expect(faults[0]).toMatchObject({ code: "syntax", severity: "error", line: 4 });
  });

  test("a repeated key names both lines", () => {
    const [object] = parse("a: 1\nb: 2\na: 3\n").objects;
    expect(object?.faults).toMatchObject([{ code: "repeated-key", line: 3 }]);
    expect(object?.faults[0]?.message).toContain("line 1");
  });

  test("an unknown alias", () => {
    expect(parse("a: *nowhere").objects[0]?.faults.map(({ code }) => code) ?? parse("a: *nowhere").faults).toEqual([
      "unknown-alias",
    ]);
  });

  test.each([
    [
      "an alias bomb",
      `a: &a [${"x,".repeat(50)}]\nb: &b [${"*a,".repeat(50)}]\nc: &c [${"*b,".repeat(50)}]\nd: [${"*c,".repeat(50)}]`,
    ],
    ["an alias of itself", "a: &a\n  b: *a\n"],
    ["endless nesting", "[".repeat(100_000)],
    ["deep nesting", `${"{a: ".repeat(300)}1${"}".repeat(300)}`],
  ])("%s is refused", (_, text) => {
    const { objects, faults } = parse(text);
    expect(objects).toEqual([]);
    expect(faults[0]?.code).toBe("syntax");
  });

  test("few of many syntax errors are reported", () => {
    expect(parse(`a: 1\n${"- b\n".repeat(1000)}`).faults.length).toBeLessThanOrEqual(3);
  });
});
