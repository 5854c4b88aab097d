import {
  RedirectAction_RedirectResponseCode as Code,
  type RedirectAction as RedirectConfig,
} from "@mixerless/wire/envoy/config/route/v3/route_components";
import type { ConfigFault } from "../../network/config-fault.ts";
import type { HeaderMap } from "../header-map.ts";
import { H } from "../header-name.ts";
import type { PathMatcher } from "./path-matcher.ts";
import { compilePathRewrite, type PathRewrite, queryStart } from "./rewrites.ts";

/** A route that answers with a place to go to. */
export interface RedirectAction {
  readonly kind: "redirect";
  readonly status: number;
  location(headers: HeaderMap): string;
}

const STATUS: Readonly<Record<number, number>> = {
  [Code.MOVED_PERMANENTLY]: 301,
  [Code.FOUND]: 302,
  [Code.SEE_OTHER]: 303,
  [Code.TEMPORARY_REDIRECT]: 307,
  [Code.PERMANENT_REDIRECT]: 308,
};

export function compileRedirect(
  config: RedirectConfig,
  matcher: PathMatcher,
  path: string,
  faults: ConfigFault[],
): RedirectAction {
  const scheme = schemeOf(config);
  const port = config.portRedirect === 0 ? "" : `:${config.portRedirect}`;
  const rewrite = compileRedirectPath(config, matcher, path, faults);
  return {
    kind: "redirect",
    status: STATUS[config.responseCode] ?? 301,
    location(headers) {
      const wanted = scheme ?? headers.get(H.scheme) ?? "http";
      const host = config.hostRedirect === "" ? keptHost(headers, wanted, port) : config.hostRedirect;
      let target = rewrite(headers.get(H.path) ?? "/");
      if (config.stripQuery) target = target.slice(0, queryStart(target));
      return `${wanted}://${host}${port}${target}`;
    },
  };
}

/** A redirect of the same address to https, for virtual hosts that ask for TLS. */
export const HTTPS_REDIRECT: RedirectAction = {
  kind: "redirect",
  status: 301,
  location: (headers) => `https://${headers.get(H.authority) ?? ""}${headers.get(H.path) ?? "/"}`,
};

function schemeOf(config: RedirectConfig): string | null {
  const specifier = config.schemeRewriteSpecifier;
  if (specifier.case === "schemeRedirect" && specifier.value !== "") return specifier.value;
  return specifier.case === "httpsRedirect" && specifier.value ? "https" : null;
}

function compileRedirectPath(
  config: RedirectConfig,
  matcher: PathMatcher,
  path: string,
  faults: ConfigFault[],
): PathRewrite {
  const specifier = config.pathRewriteSpecifier;
  switch (specifier.case) {
    case "pathRedirect": {
      const target = specifier.value;
      if (target === "") return (from) => from;
      // A path that brings its own query does not take the request's.
      return target.includes("?") ? () => target : (from) => target + from.slice(queryStart(from));
    }
    case "prefixRewrite":
      return compilePathRewrite(specifier.value, undefined, matcher, path, faults) ?? ((from) => from);
    case "regexRewrite":
      return compilePathRewrite("", specifier.value, matcher, path, faults) ?? ((from) => from);
    default:
      return (from) => from;
  }
}

/** The request's own host, without its port where a port is set or where it was the default of the old scheme. */
function keptHost(headers: HeaderMap, scheme: string, port: string): string {
  const host = headers.get(H.authority) ?? "";
  const at = host.startsWith("[")
    ? host.lastIndexOf("]:") < 0
      ? -1
      : host.lastIndexOf("]:") + 1
    : host.lastIndexOf(":");
  if (at < 0) return host;
  const before = headers.get(H.xForwardedProto) ?? headers.get(H.scheme) ?? "http";
  const wasDefault = scheme !== before && host.slice(at) === (before === "https" ? ":443" : ":80");
  return port !== "" || wasDefault ? host.slice(0, at) : host;
}
