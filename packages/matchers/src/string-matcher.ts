import type { StringMatcher } from "@mixerless/wire/envoy/type/matcher/v3/string";
import type { MatcherFault } from "./fault.ts";
import { compileRegexMatcher, type TextTest } from "./regex.ts";

/** Compiles `envoy.type.matcher.v3.StringMatcher`. Case is ignored for all kinds but patterns, as Envoy does. */
export function compileStringMatcher(
  matcher: StringMatcher | undefined,
  path: string,
  faults: MatcherFault[],
): TextTest {
  const kind = matcher?.matchPattern;
  const fold = matcher?.ignoreCase === true;
  switch (kind?.case) {
    case "exact":
      return folded(fold, kind.value, (text, want) => text === want);
    case "prefix":
      return folded(fold, kind.value, (text, want) => text.startsWith(want));
    case "suffix":
      return folded(fold, kind.value, (text, want) => text.endsWith(want));
    case "contains":
      return folded(fold, kind.value, (text, want) => text.includes(want));
    case "safeRegex":
      return compileRegexMatcher(kind.value, `${path}.safeRegex`, faults);
    default:
      faults.push({ path, message: `a string matcher of kind ${kind?.case ?? "(empty)"} is not supported` });
      return () => false;
  }
}

function folded(fold: boolean, want: string, test: (text: string, want: string) => boolean): TextTest {
  if (!fold) return (text) => test(text, want);
  const lower = want.toLowerCase();
  return (text) => test(text.toLowerCase(), lower);
}
