import { compileHeaderTest } from "@mixerless/matchers";
import type { HeaderMatcher } from "@mixerless/wire/envoy/config/route/v3/route_components";
import type { ConfigFault } from "../../network/config-fault.ts";
import type { HeaderMap } from "../header-map.ts";
import { H, HeaderName } from "../header-name.ts";

/** True where the headers match. */
export type HeaderMatch = (headers: HeaderMap) => boolean;

export function compileHeaderMatcher(matcher: HeaderMatcher, path: string, faults: ConfigFault[]): HeaderMatch {
  const name = matchedName(matcher.name);
  const test = compileHeaderTest(matcher, path, faults);
  return (headers) => test(headers.get(name));
}

/** Inside the proxy the authority has one name, whatever configuration calls it. */
function matchedName(text: string): HeaderName {
  return text.toLowerCase() === "host" ? H.authority : HeaderName.of(text);
}
