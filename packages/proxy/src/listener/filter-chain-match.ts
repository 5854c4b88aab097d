import { compileCidr } from "@mixerless/matchers";
import type { CidrRange } from "@mixerless/wire/envoy/config/core/v3/address";
import type { FilterChainMatch } from "@mixerless/wire/envoy/config/listener/v3/listener_components";
import { FilterChainMatch_ConnectionSourceType } from "@mixerless/wire/envoy/config/listener/v3/listener_components";
import type { ConfigFault } from "../network/config-fault.ts";

/** What is known of a connection when its filter chain is chosen. */
export interface MatchFacts {
  readonly destinationIp: string;
  readonly destinationPort: number;
  /** Lower case; null when the client named none. */
  readonly serverName: string | null;
  /** `raw_buffer` or `tls`. */
  readonly transportProtocol: string;
  readonly applicationProtocols: readonly string[];
  readonly sourceIp: string;
  readonly sourcePort: number;
}

/**
 * One criterion of a match. `specificity` is how closely it fits: null when it excludes the connection,
 * 0 when the chain does not ask.
 */
type Criterion = (facts: MatchFacts) => number | null;

export interface CompiledMatch {
  readonly criteria: readonly Criterion[];
  /** Two chains with one key could never be told apart. */
  readonly key: string;
}

/** Compiles a match; `undefined` fits every connection. The order of the criteria is Envoy's. */
export function compileMatch(match: FilterChainMatch | undefined, faults: ConfigFault[]): CompiledMatch {
  const port = match?.destinationPort;
  const criteria: Criterion[] = [
    (facts) => (port === undefined ? 0 : port === facts.destinationPort ? 1 : null),
    compileRanges(match?.prefixRanges ?? [], (facts) => facts.destinationIp, "filterChainMatch.prefixRanges", faults),
    compileServerNames(match?.serverNames ?? [], faults),
    compileTransportProtocol(match?.transportProtocol ?? ""),
    compileApplicationProtocols(match?.applicationProtocols ?? []),
    compileRanges(
      match?.directSourcePrefixRanges ?? [],
      (facts) => facts.sourceIp,
      "filterChainMatch.directSourcePrefixRanges",
      faults,
    ),
    compileSourceType(match?.sourceType ?? FilterChainMatch_ConnectionSourceType.ANY),
    compileRanges(
      match?.sourcePrefixRanges ?? [],
      (facts) => facts.sourceIp,
      "filterChainMatch.sourcePrefixRanges",
      faults,
    ),
    compileSourcePorts(match?.sourcePorts ?? []),
  ];
  if ((match?.addressSuffix ?? "") !== "") {
    faults.push({
      path: "filterChainMatch.addressSuffix",
      message: "is not supported (Envoy does not implement it either)",
    });
  }
  return { criteria, key: matchKey(match) };
}

/**
 * The chain whose match fits best, as Envoy decides: criterion by criterion the closest ones stay, and
 * there is no way back. Null when none fits.
 */
export function chooseChain<T extends { readonly match: CompiledMatch }>(
  chains: readonly T[],
  facts: MatchFacts,
): T | null {
  let candidates: readonly T[] = chains;
  for (let i = 0; candidates.length > 0; i++) {
    const [first] = candidates;
    if (first === undefined || i >= first.match.criteria.length) return first ?? null;
    let best = 0;
    let kept: T[] = [];
    for (const chain of candidates) {
      const specificity = chain.match.criteria[i]?.(facts) ?? null;
      if (specificity === null || specificity < best) continue;
      if (specificity > best) kept = [];
      best = specificity;
      kept.push(chain);
    }
    candidates = kept;
  }
  return null;
}

function compileRanges(
  ranges: readonly CidrRange[],
  ipOf: (facts: MatchFacts) => string,
  path: string,
  faults: ConfigFault[],
): Criterion {
  if (ranges.length === 0) return () => 0;
  const compiled = ranges.map((range, i) => ({
    test: compileCidr(range, `${path}[${i}]`, faults),
    length: range.prefixLen ?? 0,
  }));
  return (facts) => {
    const ip = ipOf(facts);
    let best: number | null = null;
    for (const { test, length } of compiled) if (test(ip)) best = Math.max(best ?? 0, length + 1);
    return best;
  };
}

/** `a.b.c` fits closest, then `*.b.c`, then `*.c`. */
function compileServerNames(names: readonly string[], faults: ConfigFault[]): Criterion {
  if (names.length === 0) return () => 0;
  const exact = new Set<string>();
  const suffixes: string[] = [];
  names.forEach((name, i) => {
    const lower = name.toLowerCase();
    if (!lower.includes("*")) exact.add(lower);
    else if (lower.startsWith("*.") && !lower.includes("*", 1)) suffixes.push(lower.slice(1));
    else {
      const message = `"${name}": a wildcard may only stand for the whole first label, as in *.example.com`;
      faults.push({ path: `filterChainMatch.serverNames[${i}]`, message });
    }
  });
  return (facts) => {
    const name = facts.serverName;
    if (name === null) return null;
    if (exact.has(name)) return Number.MAX_SAFE_INTEGER;
    let best: number | null = null;
    for (const suffix of suffixes)
      if (name.endsWith(suffix) && name.length > suffix.length) best = Math.max(best ?? 0, suffix.length);
    return best;
  };
}

function compileTransportProtocol(protocol: string): Criterion {
  if (protocol === "") return () => 0;
  return (facts) => (facts.transportProtocol === protocol ? 1 : null);
}

function compileApplicationProtocols(protocols: readonly string[]): Criterion {
  if (protocols.length === 0) return () => 0;
  return (facts) => (facts.applicationProtocols.some((protocol) => protocols.includes(protocol)) ? 1 : null);
}

function compileSourceType(type: FilterChainMatch_ConnectionSourceType): Criterion {
  if (type === FilterChainMatch_ConnectionSourceType.ANY) return () => 0;
  const wanted = type === FilterChainMatch_ConnectionSourceType.SAME_IP_OR_LOOPBACK;
  return (facts) => {
    const local =
      facts.sourceIp === facts.destinationIp || facts.sourceIp.startsWith("127.") || facts.sourceIp === "::1";
    return local === wanted ? 1 : null;
  };
}

function compileSourcePorts(ports: readonly number[]): Criterion {
  if (ports.length === 0) return () => 0;
  return (facts) => (ports.includes(facts.sourcePort) ? 1 : null);
}

/** Key of a match that asks nothing. */
export const ANY_CONNECTION = "";

function matchKey(match: FilterChainMatch | undefined): string {
  if (match === undefined) return ANY_CONNECTION;
  const ranges = (list: readonly CidrRange[]) =>
    list.map((range) => `${range.addressPrefix}/${range.prefixLen ?? 0}`).sort();
  return JSON.stringify([
    match.destinationPort ?? null,
    ranges(match.prefixRanges),
    match.serverNames.map((name) => name.toLowerCase()).sort(),
    match.transportProtocol,
    [...match.applicationProtocols].sort(),
    ranges(match.directSourcePrefixRanges),
    match.sourceType,
    ranges(match.sourcePrefixRanges),
    [...match.sourcePorts].sort(),
  ]);
}
