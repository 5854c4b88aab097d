import { compileRegexRewrite, type TextRewrite } from "@mixerless/matchers";
import type {
  RouteAction_HashPolicy,
  RouteAction_HashPolicy_Cookie,
} from "@mixerless/wire/envoy/config/route/v3/route_components";
import { xxHash64 } from "../../consistent-hash/xx-hash64.ts";
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
  /** 64 bits, unsigned; null where no policy found its input. */
  readonly hash: bigint | null;
  readonly cookie: GeneratedCookie | null;
}

/** What is hashed; several values one after the other. */
type Step = (headers: HeaderMap, info: StreamInfo) => readonly string[] | string | null;

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

  evaluate(headers: HeaderMap, info: StreamInfo): HashOutcome {
    let hash: bigint | null = null;
    let generated: GeneratedCookie | null = null;
    for (const policy of this.#policies) {
      let text = policy.read(headers, info);
      if (text === null && policy.cookie?.ttl !== undefined) {
        generated = makeCookie(policy.cookie, info);
        text = generated.value;
      }
      if (text === null) continue;
      // Rotated before it is combined, so that equal inputs of two policies do not cancel each other out.
      const rotated: bigint = hash === null ? 0n : BigInt.asUintN(64, hash << 1n) | (hash >> 63n);
      hash = rotated ^ hashOf(text);
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
        const value = headers.getFirst(name);
        if (value === null) return null;
        if (headers.get(name) === value) return rewrite === null ? value : rewrite(value);
        // In an order of their own, so that it doesn't matter in which they were sent.
        const values = valuesOf(headers, name);
        return (rewrite === null ? values : values.map(rewrite)).sort();
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

function hashOf(text: readonly string[] | string): bigint {
  return typeof text === "string" ? xxHash64(text) : text.reduce((seed, value) => xxHash64(value, seed), 0n);
}

function valuesOf(headers: HeaderMap, wanted: HeaderName): string[] {
  const values: string[] = [];
  headers.forEach((name, value) => {
    if (name === wanted.text) values.push(value);
  });
  return values;
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

/** One value for all streams of a connection, so that requests that race get the same cookie. */
function makeCookie(config: RouteAction_HashPolicy_Cookie, info: StreamInfo): GeneratedCookie {
  const { remoteAddress, localAddress } = info.downstream;
  const value = xxHash64(`${remoteAddress.text}${localAddress.text}`).toString(16).padStart(16, "0");
  return { name: config.name, value, maxAge: Math.floor((milliseconds(config.ttl) ?? 0) / 1000), path: config.path };
}

/** The `set-cookie` value of a generated cookie. */
export function cookieText(cookie: GeneratedCookie): string {
  const path = cookie.path === "" ? "" : `; Path=${cookie.path}`;
  const age = cookie.maxAge === 0 ? "" : `; Max-Age=${cookie.maxAge}`;
  return `${cookie.name}="${cookie.value}"${age}${path}; HttpOnly`;
}
