import fc from "fast-check";
import { RE2JS } from "re2js";
import { describe, expect, it } from "vitest";
import { Failure } from "../values/abnormal.ts";
import { UNBOUNDED } from "../values/work.ts";
import { linearPattern } from "./linear-pattern.ts";
import { compileSearch } from "./regex.ts";

function matches(pattern: string, text: string): boolean {
  const search = compileSearch(pattern);
  if (search instanceof Failure) throw new Error(search.reason);
  return search(text, UNBOUNDED);
}

describe("a pattern", () => {
  it("is found anywhere in the text", () => {
    expect(matches("b+c", "abbcd")).toBe(true);
    expect(matches("^b", "ab")).toBe(false);
    expect(matches("a.c", "a\nc")).toBe(false);
    expect(matches("(?i)API", "/api")).toBe(true);
  });

  it("that RE2 does not have is refused", () => {
    for (const pattern of ["(?=a)", "(a", "\\1", "[z-a]", "a**"])
      expect(compileSearch(pattern)).toBeInstanceOf(Failure);
  });

  it("of more than 4,096 chars is refused", () => {
    expect(compileSearch("a".repeat(5000))).toBeInstanceOf(Failure);
  });

  it("takes linear time where a backtracking engine would take exponential time", () => {
    expect(matches("(a+)+$", `${"a".repeat(200)}!`)).toBe(false);
    expect(matches("^(a|aa)+$", `${"a".repeat(200)}!`)).toBe(false);
  });
});

describe("the fast way", () => {
  it("is for patterns in which going back leads nowhere", () => {
    for (const pattern of ["^/api/v[0-9]+/products/[0-9]+$", "^[^/]+/x", "^/(api|static)/", "\\.js$", "^a*b", "^.*$"])
      expect(linearPattern(pattern), pattern).not.toBeNull();
    for (const pattern of [
      "[a-z]+:",
      "^a*a",
      "^[a-z]*[a-c]x",
      "^.*a",
      "(a|b)+",
      "^(a|b)(a|b)",
      "^a+?b",
      "a|b",
      "^a{2}",
    ])
      expect(linearPattern(pattern), pattern).toBeNull();
  });

  it("gives what RE2 gives", () => {
    const piece = fc.constantFrom(
      ...["a", "b", "/", "\\.", ".", "[a-c]", "[^/]", "[0-9]", "\\d", "(a|b/)", "[ab-]", "ü", "é", "\\/"],
    );
    const repeated = fc.tuple(piece, fc.constantFrom("", "", "", "*", "+", "?")).map(([one, repeat]) => one + repeat);
    const pattern = fc
      .tuple(fc.constantFrom("^", ""), fc.array(repeated, { maxLength: 5 }), fc.constantFrom("$", ""))
      .map(([start, pieces, end]) => `${start}${pieces.join("")}${end}`);
    const text = fc.string({ unit: fc.constantFrom("a", "b", "c", "/", ".", "1", "ü", "\n", "\r", "\u{1f600}", "-") });
    fc.assert(
      fc.property(pattern, text, (source, input) => {
        const linear = linearPattern(source);
        fc.pre(linear !== null);
        if (linear !== null)
          expect(new RegExp(linear, "u").test(input)).toBe(RE2JS.compile(source).matcher(input).find());
      }),
      { numRuns: 2000 },
    );
  });
});
