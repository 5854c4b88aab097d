import type { Permission, Policy, Principal } from "@mixerless/wire/envoy/config/rbac/v3/rbac";
import type { StringMatcher } from "@mixerless/wire/envoy/type/matcher/v3/string";
import type { PolicyFacts } from "./facts.ts";

/**
 * Keys of which a request must have at least one for a policy to match it, or null where no such keys can
 * be told. A mesh has a thousand policies, and a request could match a handful: those that name its caller
 * or its path are found by one look-up each, the others are tried one after another.
 */
export type Anchors = readonly string[] | null;

const NAMESPACE_PATTERN = /^\.\*\/ns\/([A-Za-z0-9-]+)\/\.\*$/;
/** Where one of them ends, the next may begin: of `/ns/ns/sa/x` a pattern finds both "ns" and "sa". */
const NAMESPACE = /(?=\/ns\/([^/]*)\/)/g;

export function anchorsOf(policy: Policy): Anchors {
  return unionOf(policy.principals, principalAnchors) ?? unionOf(policy.permissions, permissionAnchors);
}

/** Every key that an anchor of a policy which matches these facts can have. */
export function keysOf(facts: PolicyFacts<never>): string[] {
  const keys = [pathKey(facts.path)];
  const { peer } = facts;
  if (peer === null) return keys;
  for (const name of peer.uriSans.length > 0 ? peer.uriSans : [...peer.dnsSans, peer.subject]) {
    keys.push(nameKey(name));
    for (const match of name.matchAll(NAMESPACE)) keys.push(namespaceKey(match[1] ?? ""));
  }
  return keys;
}

function principalAnchors({ identifier }: Principal): Anchors {
  switch (identifier.case) {
    case "authenticated":
      return identifier.value.principalName === undefined ? null : nameAnchors(identifier.value.principalName);
    case "andIds":
      return smallest(identifier.value.ids.map(principalAnchors));
    case "orIds":
      return unionOf(identifier.value.ids, principalAnchors);
    default:
      return null;
  }
}

function permissionAnchors({ rule }: Permission): Anchors {
  switch (rule.case) {
    case "urlPath": {
      const exact = exactOf(rule.value.rule.value);
      return exact === null ? null : [pathKey(exact)];
    }
    case "andRules":
      return smallest(rule.value.rules.map(permissionAnchors));
    case "orRules":
      return unionOf(rule.value.rules, permissionAnchors);
    default:
      return null;
  }
}

function nameAnchors(matcher: StringMatcher): Anchors {
  const exact = exactOf(matcher);
  if (exact !== null) return [nameKey(exact)];
  const pattern = matcher.matchPattern.case === "safeRegex" ? matcher.matchPattern.value.regex : "";
  const namespace = NAMESPACE_PATTERN.exec(pattern)?.[1];
  return namespace === undefined ? null : [namespaceKey(namespace)];
}

function exactOf(matcher: StringMatcher | undefined): string | null {
  const pattern = matcher?.matchPattern;
  return pattern?.case === "exact" && matcher?.ignoreCase !== true ? pattern.value : null;
}

/** One of several alternatives must hold: each must have keys. No alternative at all cannot hold. */
function unionOf<T>(alternatives: readonly T[], anchorsOfOne: (one: T) => Anchors): Anchors {
  const keys = new Set<string>();
  for (const one of alternatives) {
    const own = anchorsOfOne(one);
    if (own === null) return null;
    for (const key of own) keys.add(key);
  }
  return [...keys];
}

/** All must hold, so the keys of any one will do. */
function smallest(candidates: readonly Anchors[]): Anchors {
  let best: Anchors = null;
  for (const keys of candidates) if (keys !== null && (best === null || keys.length < best.length)) best = keys;
  return best;
}

function nameKey(name: string): string {
  return `name ${name}`;
}

function namespaceKey(namespace: string): string {
  return `namespace ${namespace}`;
}

function pathKey(path: string): string {
  return `path ${path}`;
}
