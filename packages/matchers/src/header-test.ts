import type { HeaderMatcher } from "@mixerless/wire/envoy/config/route/v3/route_components";
import type { MatcherFault } from "./fault.ts";
import { compileRegexMatcher, type TextTest } from "./regex.ts";
import { compileStringMatcher } from "./string-matcher.ts";

/** True where a header's value, or null for one that is missing, matches. */
export type HeaderTest = (value: string | null) => boolean;

/**
 * Compiles all of a header matcher but where the header is looked up. A header that is missing never
 * matches, not even inverted, unless it is to be treated as empty; only the test of presence itself can be
 * inverted freely. That is why Istio writes `treat_missing_header_as_empty` for withoutHeaders
 * [control-plane §7.2].
 */
export function compileHeaderTest(matcher: HeaderMatcher, path: string, faults: MatcherFault[]): HeaderTest {
  if (matcher.name === "") faults.push({ path: `${path}.name`, message: "a header name is needed" });
  const { invertMatch: invert, treatMissingHeaderAsEmpty: emptyIfMissing } = matcher;
  const specifier = matcher.headerMatchSpecifier;
  if (specifier.case === undefined || specifier.case === "presentMatch") {
    const present = (specifier.case === undefined || specifier.value) !== invert;
    return (value) => (emptyIfMissing || value !== null) === present;
  }
  const test = compileValueTest(specifier, path, faults);
  return (value) => {
    const known = value ?? (emptyIfMissing ? "" : null);
    return known !== null && test(known) !== invert;
  };
}

type ValueSpecifier = Exclude<HeaderMatcher["headerMatchSpecifier"], { case: undefined | "presentMatch" }>;

function compileValueTest(specifier: ValueSpecifier, path: string, faults: MatcherFault[]): TextTest {
  switch (specifier.case) {
    case "exactMatch": {
      const want = specifier.value;
      return (value) => value === want;
    }
    case "prefixMatch": {
      const want = specifier.value;
      return (value) => value.startsWith(want);
    }
    case "suffixMatch": {
      const want = specifier.value;
      return (value) => value.endsWith(want);
    }
    case "containsMatch": {
      const want = specifier.value;
      return (value) => value.includes(want);
    }
    case "safeRegexMatch":
      return compileRegexMatcher(specifier.value, `${path}.safeRegexMatch`, faults);
    case "stringMatch":
      return compileStringMatcher(specifier.value, `${path}.stringMatch`, faults);
    case "rangeMatch": {
      const start = Number(specifier.value.start);
      const end = Number(specifier.value.end);
      return (value) => /^-?\d+$/.test(value) && Number(value) >= start && Number(value) < end;
    }
  }
}
