import type { RegexMatchAndSubstitute, RegexMatcher } from "@mixerless/wire/envoy/type/matcher/v3/regex";
import { RE2JS } from "re2js";
import type { MatcherFault } from "./fault.ts";

/** True where the whole text matches. */
export type TextTest = (text: string) => boolean;

const SPECIAL = /[\\^$.|?*+()[\]{}]/;

/**
 * Compiles an RE2 pattern that must match the whole text. RE2 takes linear time whatever the pattern, which matters
 * because the text comes from a peer. The two forms that configurations are full of need no engine.
 */
export function compileFullMatch(pattern: string, path: string, faults: MatcherFault[]): TextTest {
  if (!SPECIAL.test(pattern)) return (text) => text === pattern;
  if (pattern === ".*") return (text) => !text.includes("\n");
  const prefix = pattern.endsWith(".*") ? pattern.slice(0, -2) : null;
  if (prefix !== null && !SPECIAL.test(prefix)) return (text) => text.startsWith(prefix) && !text.includes("\n");
  try {
    const compiled = RE2JS.compile(pattern);
    return (text) => compiled.matches(text);
  } catch (error) {
    faults.push({ path, message: notRe2(pattern, error) });
    return () => false;
  }
}

export function compileRegexMatcher(matcher: RegexMatcher | undefined, path: string, faults: MatcherFault[]): TextTest {
  if (matcher === undefined || matcher.regex === "") {
    faults.push({ path: `${path}.regex`, message: "a pattern is needed" });
    return () => false;
  }
  return compileFullMatch(matcher.regex, `${path}.regex`, faults);
}

/** Replaces every match of a pattern. */
export type TextRewrite = (text: string) => string;

/** `\1`…`\9` in the substitution stand for groups, `\0` for the match, `\\` for a backslash, as in RE2. */
export function compileRegexRewrite(
  rewrite: RegexMatchAndSubstitute,
  path: string,
  faults: MatcherFault[],
): TextRewrite {
  const pattern = rewrite.pattern?.regex ?? "";
  try {
    if (pattern === "") throw new Error("it is empty");
    const compiled = RE2JS.compile(pattern);
    const pieces = substitutionPieces(rewrite.substitution);
    const highest = Math.max(-1, ...pieces.filter((piece) => typeof piece === "number"));
    if (highest > compiled.groupCount()) {
      faults.push({
        path: `${path}.substitution`,
        message: `\\${highest} names a group that the pattern does not have`,
      });
    }
    const replace = (...groups: (string | number | undefined)[]) =>
      pieces.map((piece) => (typeof piece === "number" ? (groups[piece] ?? "") : piece)).join("");
    return (text) => compiled.matcher(text).replaceAll(replace);
  } catch (error) {
    faults.push({ path: `${path}.pattern.regex`, message: notRe2(pattern, error) });
    return (text) => text;
  }
}

function substitutionPieces(substitution: string): (string | number)[] {
  return substitution
    .split(/(\\[\d\\])/)
    .filter((piece) => piece !== "")
    .map((piece) => (/^\\\d$/.test(piece) ? Number(piece[1]) : piece === "\\\\" ? "\\" : piece));
}

function notRe2(pattern: string, error: unknown): string {
  return `"${pattern}" is not an RE2 pattern: ${error instanceof Error ? error.message : String(error)}`;
}
