import { KeySet } from "@mixerless/identity/jwt";
import {
  compileProvider,
  compileRequirement,
  fixedKeys,
  type KeySource,
  type Provider,
  type Requirement,
} from "@mixerless/policy/jwt";
import type { RetryPolicy } from "@mixerless/wire/envoy/config/core/v3/base";
import type {
  JwtAuthentication,
  JwtProvider,
  JwtRequirement,
  RemoteJwks,
  RequirementRule,
} from "@mixerless/wire/envoy/extensions/filters/http/jwt_authn/v3/config";
import { inlineText } from "../../access-log/format/compile-format.ts";
import type { HeaderMap } from "../../http/header-map.ts";
import { H, HeaderName } from "../../http/header-name.ts";
import { milliseconds } from "../../http/routing/duration.ts";
import { queryStart } from "../../http/routing/rewrites.ts";
import { compileRouteCondition, type RouteCondition } from "../../http/routing/route-match.ts";
import { type ConfigFault, fieldPath } from "../../network/config-fault.ts";
import { RemoteKeys, type RemoteKeysConfig, type RemoteKeysDeps } from "./remote-keys.ts";

/** A compiled JwtAuthentication. */
export interface JwtAuthnConfig {
  /** Requirements that routes refer to. */
  readonly named: ReadonlyMap<string, Requirement<HeaderName>>;
  readonly bypassPreflight: boolean;
  readonly stripFailure: boolean;
  /** Headers that only this filter may set. */
  readonly ownHeaders: readonly HeaderName[];
  /** What a request needs; null: nothing. `random` is uniform in [0, 1). */
  requirementOf(headers: HeaderMap, random: () => number): Requirement<HeaderName> | null;
  close(): void;
}

interface Rule {
  readonly condition: RouteCondition;
  readonly requirement: Requirement<HeaderName> | null;
}

const DEFAULT_CACHE = 600_000;
const DEFAULT_AFTER_FAILURE = 1000;

export function compileJwtAuthn(
  message: JwtAuthentication,
  deps: RemoteKeysDeps,
  path: string,
  faults: ConfigFault[],
): JwtAuthnConfig {
  const remote: RemoteKeys[] = [];
  const context = {
    headerKey: (name: string) => HeaderName.of(name),
    faults,
    keySource: (provider: JwtProvider, at: string) => keySource(provider, deps, remote, at, faults),
  };
  if (message.filterStateRules !== undefined)
    faults.push({ path: fieldPath(path, "filterStateRules"), message: "is not supported" });
  const providers = new Map<string, Provider<HeaderName>>();
  for (const [name, provider] of Object.entries(message.providers)) {
    const compiled = compileProvider(name, provider, fieldPath(path, `providers["${name}"]`), context);
    if (compiled !== null) providers.set(name, compiled);
  }
  const requirement = (one: JwtRequirement, at: string) => compileRequirement(one, providers, at, context);
  const named = new Map(
    Object.entries(message.requirementMap).map(([name, one]) => [
      name,
      requirement(one, fieldPath(path, `requirementMap["${name}"]`)),
    ]),
  );
  const rules = message.rules.flatMap(
    (rule, i) => compileRule(rule, requirement, named, fieldPath(path, `rules[${i}]`), faults) ?? [],
  );
  return {
    named,
    bypassPreflight: message.bypassCorsPreflight,
    stripFailure: message.stripFailureResponse,
    ownHeaders: [...providers.values()].flatMap(({ output }) => [
      ...(output.payloadHeader === null ? [] : [output.payloadHeader]),
      ...output.claimHeaders.map(({ key }) => key),
    ]),
    requirementOf: (headers, random) => firstOf(rules, headers, random),
    close: () => {
      for (const keys of remote) keys.close();
    },
  };
}

function firstOf(rules: readonly Rule[], headers: HeaderMap, random: () => number): Requirement<HeaderName> | null {
  const target = headers.get(H.path) ?? "";
  for (const { condition, requirement } of rules)
    if (condition.matches(headers, target, queryStart(target), random())) return requirement;
  return null;
}

function compileRule(
  rule: RequirementRule,
  compile: (requirement: JwtRequirement, path: string) => Requirement<HeaderName>,
  named: ReadonlyMap<string, Requirement<HeaderName>>,
  path: string,
  faults: ConfigFault[],
): Rule | null {
  const condition = compileRouteCondition(rule.match, `${path}.match`, faults);
  if (condition === null) return null;
  const { requirementType } = rule;
  switch (requirementType.case) {
    case "requires":
      return { condition, requirement: compile(requirementType.value, `${path}.requires`) };
    case "requirementName": {
      const requirement = named.get(requirementType.value);
      if (requirement !== undefined) return { condition, requirement };
      faults.push({
        path: `${path}.requirementName`,
        message: `the requirement map has no "${requirementType.value}"`,
      });
      return null;
    }
    default:
      return { condition, requirement: null };
  }
}

function keySource(
  provider: JwtProvider,
  deps: RemoteKeysDeps,
  remote: RemoteKeys[],
  path: string,
  faults: ConfigFault[],
): KeySource | null {
  const specifier = provider.jwksSourceSpecifier;
  switch (specifier.case) {
    case "localJwks": {
      const at = `${path}.localJwks`;
      const before = faults.length;
      const text = inlineText(specifier.value, at, faults);
      if (faults.length > before) return null;
      const keys = KeySet.read(text);
      if (keys instanceof KeySet) return fixedKeys(keys);
      faults.push({ path: at, message: `is no JSON Web Key Set: ${keys}` });
      return null;
    }
    case "remoteJwks": {
      const config = remoteConfig(specifier.value, `${path}.remoteJwks`, faults);
      if (config === null) return null;
      const keys = new RemoteKeys(config, deps);
      remote.push(keys);
      return keys;
    }
    default:
      faults.push({ path, message: "needs localJwks or remoteJwks" });
      return null;
  }
}

function remoteConfig(
  { httpUri, cacheDuration, asyncFetch, retryPolicy }: RemoteJwks,
  path: string,
  faults: ConfigFault[],
): RemoteKeysConfig | null {
  const uri = URL.canParse(httpUri?.uri ?? "") ? new URL(httpUri?.uri ?? "") : null;
  const cluster = httpUri?.httpUpstreamType.value ?? "";
  if (uri === null || cluster === "") {
    faults.push({ path: `${path}.httpUri`, message: "needs a whole URL and a cluster" });
    return null;
  }
  return {
    cluster,
    request: {
      scheme: uri.protocol.replace(":", ""),
      authority: uri.host,
      path: `${uri.pathname}${uri.search}`,
      timeout: milliseconds(httpUri?.timeout) ?? 5000,
    },
    cacheDuration: milliseconds(cacheDuration) ?? DEFAULT_CACHE,
    refetch:
      asyncFetch === undefined
        ? null
        : { afterFailure: milliseconds(asyncFetch.failedRefetchDuration) ?? DEFAULT_AFTER_FAILURE },
    ...retries(retryPolicy),
  };
}

function retries(policy: RetryPolicy | undefined): Pick<RemoteKeysConfig, "retries" | "backOff"> {
  const base = milliseconds(policy?.retryBackOff?.baseInterval) ?? 1000;
  const max = milliseconds(policy?.retryBackOff?.maxInterval) ?? Math.max(base, 10_000);
  return { retries: policy === undefined ? 0 : (policy.numRetries ?? 1), backOff: { base, max } };
}
