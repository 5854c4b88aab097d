import { compileRegexRewrite, type TextRewrite } from "@mixerless/matchers";
import type {
  RouteAction_HashPolicy,
  RouteAction_HashPolicy_Cookie,
} from "@mixerless/wire/envoy/config/route/v3/route_components";
import type { ConfigFault } from "../../network/config-fault.ts";
import type { StreamInfo } from "../../stream/stream-info.ts";
import type { HeaderMap } from "../header-map.ts";
import { H, HeaderName } from "../header-name.ts";
import { milliseconds } from "./duration.ts";
import { queryParameter } from "./query-matcher.ts";

/** A cookie that the response must set so that the client comes back to the same host. */
export interface GeneratedCookie {
  readonly name: string;
  readonly value: string;
  /** Seconds; 0: until the client closes. */
  readonly maxAge: number;
  readonly path: string;
}

/** What the policies of a route say about one request. */
export interface HashOutcome {
  /** 32 bits, unsigned; null where no policy found its input. */
  readonly hash: number | null;
  readonly cookie: GeneratedCookie | null;
}

type Step = (headers: HeaderMap, info: StreamInfo) => string | null;

interface CompiledPolicy {
  readonly read: Step;
  readonly terminal: boolean;
  readonly cookie: RouteAction_HashPolicy_Cookie | null;
}

/** Turns a request into a number for consistent hashing. */
export class HashPolicies {
  readonly #policies: readonly CompiledPolicy[];

  constructor(policies: readonly CompiledPolicy[]) {
    this.#policies = policies;
  }

  evaluate(headers: HeaderMap, info: StreamInfo, random: () => number): HashOutcome {
    let hash: number | null = null;
    let generated: GeneratedCookie | null = null;
    for (const policy of this.#policies) {
      let text = policy.read(headers, info);
      if (text === null && policy.cookie?.ttl !== undefined) {
        generated = makeCookie(policy.cookie, random);
        text = generated.value;
      }
      if (text === null) continue;
      // Rotated before it is combined, so that equal inputs of two policies do not cancel each other out.
      hash = ((hash === null ? 0 : (hash << 1) | (hash >>> 31)) ^ hashText(text)) >>> 0;
      if (policy.terminal) break;
    }
    return { hash, cookie: generated };
  }
}

export function compileHashPolicies(
  policies: readonly RouteAction_HashPolicy[],
  path: string,
  faults: ConfigFault[],
): HashPolicies | null {
  if (policies.length === 0) return null;
  return new HashPolicies(policies.map((policy, i) => compilePolicy(policy, `${path}[${i}]`, faults)));
}

function compilePolicy(policy: RouteAction_HashPolicy, path: string, faults: ConfigFault[]): CompiledPolicy {
  const specifier = policy.policySpecifier;
  const terminal = policy.terminal;
  switch (specifier.case) {
    case "header": {
      const name = HeaderName.of(specifier.value.headerName);
      const rewrite: TextRewrite | null =
        specifier.value.regexRewrite === undefined
          ? null
          : compileRegexRewrite(specifier.value.regexRewrite, `${path}.header.regexRewrite`, faults);
      const read: Step = (headers) => {
        const value = headers.get(name);
        return value === null || rewrite === null ? value : rewrite(value);
      };
      return { read, terminal, cookie: null };
    }
    case "cookie": {
      const { name } = specifier.value;
      return { read: (headers) => cookieValue(headers.get(COOKIE), name), terminal, cookie: specifier.value };
    }
    case "connectionProperties": {
      const read: Step = specifier.value.sourceIp ? (_headers, info) => info.remoteAddress.ip : () => null;
      return { read, terminal, cookie: null };
    }
    case "queryParameter": {
      const { name } = specifier.value;
      return { read: (headers) => queryParameter(headers.get(H.path) ?? "", name), terminal, cookie: null };
    }
    case "filterState": {
      const { key } = specifier.value;
      const read: Step = (_headers, info) => {
        const value = info.filterState.get(key);
        return typeof value === "string" ? value : null;
      };
      return { read, terminal, cookie: null };
    }
    default:
      faults.push({ path, message: "a hash policy needs a source" });
      return { read: () => null, terminal, cookie: null };
  }
}

const COOKIE = HeaderName.of("cookie");

function cookieValue(cookies: string | null, name: string): string | null {
  if (cookies === null) return null;
  for (const pair of cookies.split(/[;,]/)) {
    const equals = pair.indexOf("=");
    if (equals < 0 || pair.slice(0, equals).trim() !== name) continue;
    const value = pair.slice(equals + 1).trim();
    return value.startsWith('"') && value.endsWith('"') && value.length > 1 ? value.slice(1, -1) : value;
  }
  return null;
}

function makeCookie(config: RouteAction_HashPolicy_Cookie, random: () => number): GeneratedCookie {
  let value = "";
  for (let i = 0; i < 2; i++)
    value += Math.floor(random() * 0x1_0000_0000)
      .toString(16)
      .padStart(8, "0");
  return { name: config.name, value, maxAge: Math.floor((milliseconds(config.ttl) ?? 0) / 1000), path: config.path };
}

/** FNV-1a with a final mix, 32 bits: spread is what matters, agreement with Envoy's xxHash is not needed. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The `set-cookie` value of a generated cookie. */
export function cookieText(cookie: GeneratedCookie): string {
  const path = cookie.path === "" ? "" : `; Path=${cookie.path}`;
  const age = cookie.maxAge === 0 ? "" : `; Max-Age=${cookie.maxAge}`;
  return `${cookie.name}="${cookie.value}"${age}${path}; HttpOnly`;
}
