import { compileStringMatcher } from "@mixerless/matchers";
import type { QueryParameterMatcher } from "@mixerless/wire/envoy/config/route/v3/route_components";
import type { ConfigFault } from "../../network/config-fault.ts";

/** True where the query of the `:path` matches. */
export type QueryMatch = (path: string) => boolean;

/** Compiles a matcher of one query parameter; its first value counts, not decoded, as in Envoy. */
export function compileQueryMatcher(matcher: QueryParameterMatcher, path: string, faults: ConfigFault[]): QueryMatch {
  const name = matcher.name;
  if (name === "") faults.push({ path: `${path}.name`, message: "a parameter name is needed" });
  const specifier = matcher.queryParameterMatchSpecifier;
  if (specifier.case === "stringMatch") {
    const test = compileStringMatcher(specifier.value, `${path}.stringMatch`, faults);
    return (target) => {
      const value = queryParameter(target, name);
      return value !== null && test(value);
    };
  }
  const present = specifier.case === undefined || specifier.value;
  return (target) => (queryParameter(target, name) !== null) === present;
}

/** The first value of a parameter, without making anything of the others; null when it is not there. */
export function queryParameter(path: string, name: string): string | null {
  let at = path.indexOf("?") + 1;
  if (at === 0) return null;
  const end = path.indexOf("#", at) < 0 ? path.length : path.indexOf("#", at);
  while (at < end) {
    const next = path.indexOf("&", at);
    const stop = next < 0 || next > end ? end : next;
    if (path.startsWith(name, at)) {
      const after = at + name.length;
      if (after === stop) return "";
      if (after < stop && path.charCodeAt(after) === 61) return path.slice(after + 1, stop);
    }
    at = stop + 1;
  }
  return null;
}
