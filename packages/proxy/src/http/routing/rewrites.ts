import { compileRegexRewrite } from "@mixerless/matchers";
import type { RouteAction } from "@mixerless/wire/envoy/config/route/v3/route_components";
import type { ConfigFault } from "../../network/config-fault.ts";
import type { HeaderMap } from "../header-map.ts";
import { H, HeaderName } from "../header-name.ts";
import type { PathMatcher } from "./path-matcher.ts";

/** Gives the `:path` to send in place of the one that was matched. The query stays. */
export type PathRewrite = (path: string) => string;

/** Gives the authority to send; null leaves it. */
export type HostRewrite = (headers: HeaderMap) => string | null;

export function compilePathRewrite(
  prefixRewrite: string,
  regexRewrite: RouteAction["regexRewrite"],
  matcher: PathMatcher,
  path: string,
  faults: ConfigFault[],
): PathRewrite | null {
  if (prefixRewrite !== "" && regexRewrite !== undefined) {
    faults.push({ path: `${path}.regexRewrite`, message: "excludes prefixRewrite" });
  }
  if (prefixRewrite !== "") {
    const { prefixLength } = matcher;
    return (target) => prefixRewrite + target.slice(prefixLength ?? queryStart(target));
  }
  if (regexRewrite === undefined) return null;
  const rewrite = compileRegexRewrite(regexRewrite, `${path}.regexRewrite`, faults);
  return (target) => {
    const query = queryStart(target);
    return rewrite(target.slice(0, query)) + target.slice(query);
  };
}

export function compileHostRewrite(action: RouteAction, path: string, faults: ConfigFault[]): HostRewrite | null {
  const specifier = action.hostRewriteSpecifier;
  switch (specifier.case) {
    case "hostRewriteLiteral": {
      const host = specifier.value;
      return () => host;
    }
    case "hostRewriteHeader": {
      const name = HeaderName.of(specifier.value);
      return (headers) => headers.get(name) || null;
    }
    case "hostRewritePathRegex": {
      const rewrite = compileRegexRewrite(specifier.value, `${path}.hostRewritePathRegex`, faults);
      return (headers) => {
        const target = headers.get(H.path) ?? "";
        return rewrite(target.slice(0, queryStart(target))) || null;
      };
    }
    default:
      return null;
  }
}

/** Where the query begins, or the length. */
export function queryStart(path: string): number {
  const at = path.indexOf("?");
  return at < 0 ? path.length : at;
}
