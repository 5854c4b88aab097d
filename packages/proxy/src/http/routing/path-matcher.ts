import { compileRegexMatcher } from "@mixerless/matchers";
import type { RouteMatch } from "@mixerless/wire/envoy/config/route/v3/route_components";
import type { ConfigFault } from "../../network/config-fault.ts";

/** Tests a `:path`; `end` is where its query begins, or its length. */
export type PathTest = (path: string, end: number) => boolean;

export interface PathMatcher {
  readonly test: PathTest;
  /** What a prefix rewrite replaces: this many leading chars. Null: the whole path without its query. */
  readonly prefixLength: number | null;
}

/** Compiles the path specifier of a route match. All but patterns obey `case_sensitive`. */
export function compilePathMatcher(match: RouteMatch, path: string, faults: ConfigFault[]): PathMatcher {
  const specifier = match.pathSpecifier;
  const fold = match.caseSensitive === false;
  switch (specifier.case) {
    case "prefix":
      return { test: prefix(specifier.value, fold), prefixLength: specifier.value.length };
    case "path":
      return { test: exact(specifier.value, fold), prefixLength: null };
    case "pathSeparatedPrefix":
      if (!/^\/[^?#]*[^?#/]$/.test(specifier.value)) {
        faults.push({ path: `${path}.pathSeparatedPrefix`, message: "must begin with / and not end with it" });
      }
      return { test: separatedPrefix(specifier.value, fold), prefixLength: specifier.value.length };
    case "safeRegex": {
      const test = compileRegexMatcher(specifier.value, `${path}.safeRegex`, faults);
      return { test: (target, end) => test(end === target.length ? target : target.slice(0, end)), prefixLength: null };
    }
    default:
      faults.push({ path, message: `a path match of kind ${specifier.case ?? "(empty)"} is not supported` });
      return { test: () => false, prefixLength: null };
  }
}

function prefix(want: string, fold: boolean): PathTest {
  if (want === "/") return (target) => target.charCodeAt(0) === 47;
  if (!fold) return (target) => target.startsWith(want);
  const lower = want.toLowerCase();
  return (target) => target.slice(0, lower.length).toLowerCase() === lower;
}

function exact(want: string, fold: boolean): PathTest {
  if (!fold) return (target, end) => end === want.length && target.startsWith(want);
  const lower = want.toLowerCase();
  return (target, end) => end === lower.length && target.slice(0, end).toLowerCase() === lower;
}

function separatedPrefix(want: string, fold: boolean): PathTest {
  const begins = prefix(want, fold);
  return (target, end) =>
    end >= want.length && begins(target, end) && (end === want.length || target.charCodeAt(want.length) === 47);
}
