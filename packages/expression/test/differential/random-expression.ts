import fc from "fast-check";

const TEXTS = ["", "GET", "/api/v1/x?y=ü", "ab\u{1f600}c", "5"];
const INTS = ["0", "1", "-1", "200", "9007199254740993", "9223372036854775807", "-9223372036854775808"];
const UINTS = ["0u", "7u", "18446744073709551615u"];
const DOUBLES = ["0.0", "1.5", "1e308", "-2.25"];

type Texts = fc.Arbitrary<string>;

const quoted = fc.constantFrom(...TEXTS.map((text) => JSON.stringify(text).replace("\u{1f600}", "\\U0001F600")));
const literal: Texts = fc.oneof(
  quoted,
  fc.constantFrom(...INTS),
  fc.constantFrom(...UINTS),
  fc.constantFrom(...DOUBLES),
  fc.constantFrom("true", "false", "null", "b'a\\xff'", "duration('90s')", "timestamp('2026-11-28T01:02:03Z')"),
);
const number: Texts = fc.constantFrom(...INTS, ...UINTS, ...DOUBLES);
const index: Texts = fc.oneof(quoted, number);
/** Names that both sides know, and one that does not exist. */
const name: Texts = fc.constantFrom("text", "number", "list", "map", "absent");

const binary = ["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||"];
const functions = ["size", "string", "bool", "type", "bytes", "dyn"];
const conversions = ["int", "uint", "double", "string"];
const textMethods = ["contains", "startsWith", "endsWith", "matches"];
const loops = ["all", "exists", "exists_one", "filter", "map"];

/**
 * Expressions of any types, so most of them fail somewhere: failing is what has to be the same. Left out is where the other
 * side takes more than the language has: numbers from texts that are none, indices that are bools, `has` of what is no
 * map or is null, keys of null, negating anything
 * twice, lists as keys; and where it writes numbers and times otherwise than the reference in Go.
 */
export const anyExpression: Texts = fc.letrec<{ node: string }>((tie) => {
  const node = tie("node");
  return {
    node: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      { weight: 3, arbitrary: literal },
      { weight: 3, arbitrary: name },
      fc.tuple(node, fc.constantFrom(...binary), node).map(([a, sign, b]) => `(${a} ${sign} ${b})`),
      fc.tuple(node, fc.constantFrom("==", "<"), node).map(([a, sign, b]) => `!(${a} ${sign} ${b})`),
      fc.tuple(node, fc.constantFrom("+", "*"), node).map(([a, sign, b]) => `-(${a} ${sign} ${b})`),
      fc.tuple(node, node, node).map(([a, b, c]) => `(${a} in [${b}, ${c}])`),
      index.map((key) => `(${key} in map)`),
      fc.tuple(node, node, node).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
      fc.tuple(fc.constantFrom(...functions), node).map(([f, a]) => `${f}(${a})`),
      fc.tuple(fc.constantFrom(...conversions), number).map(([f, a]) => `${f}(${a})`),
      fc.tuple(node, fc.constantFrom(...textMethods), quoted).map(([a, f, b]) => `(${a}).${f}(${b})`),
      fc.array(node, { maxLength: 3 }).map((list) => `[${list.join(", ")}]`),
      fc.array(fc.tuple(fc.oneof(quoted, fc.constantFrom(...INTS)), node), { maxLength: 2 }).map((entries) => {
        return `{${entries.map(([key, value]) => `${key}: ${value}`).join(", ")}}`;
      }),
      fc.tuple(node, index).map(([a, b]) => `(${a})[${b}]`),
      fc.tuple(node, fc.constantFrom("a", "b")).map(([a, field]) => `(${a}).${field}`),
      fc.tuple(node, fc.constantFrom("b", "c")).map(([a, field]) => `has({"a": ${a}, "b": 2}.${field})`),
      fc.tuple(node, fc.constantFrom(...loops), node).map(([a, loop, b]) => `(${a}).${loop}(x, ${b} == x)`),
    ),
  };
}).node;
