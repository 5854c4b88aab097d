import { compileStringMatcher, type TextTest } from "@mixerless/matchers";
import type { CorsPolicy as CorsPolicyMessage } from "@mixerless/wire/envoy/extensions/filters/http/cors/v3/cors";
import { runtimeFraction } from "../../http/routing/fraction.ts";
import { type ConfigFault, fieldPath } from "../../network/config-fault.ts";

/** A compiled CorsPolicy. Empty texts send no header. */
export interface CorsPolicy {
  readonly origins: readonly TextTest[];
  readonly allowMethods: string;
  readonly allowHeaders: string;
  readonly exposeHeaders: string;
  readonly maxAge: string;
  readonly allowCredentials: boolean;
  readonly forwardUnmatchedPreflights: boolean;
  /** 0…1. */
  readonly share: number;
}

export function compileCorsPolicy(message: CorsPolicyMessage, path: string, faults: ConfigFault[]): CorsPolicy {
  return {
    origins: message.allowOriginStringMatch.map((matcher, i) =>
      compileStringMatcher(matcher, fieldPath(path, `allowOriginStringMatch[${i}]`), faults),
    ),
    allowMethods: message.allowMethods,
    allowHeaders: message.allowHeaders,
    exposeHeaders: message.exposeHeaders,
    maxAge: message.maxAge,
    allowCredentials: message.allowCredentials ?? false,
    forwardUnmatchedPreflights: message.forwardNotMatchingPreflights ?? true,
    share: runtimeFraction(message.filterEnabled, 1),
  };
}
