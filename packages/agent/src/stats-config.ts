import type { Json } from "./node-identity.ts";

/** What Istio's sidecars show of the proxy's own stats, beside what a workload asks for [telemetry §3.3]. */
const PREFIXES = ["reporter=", "cluster_manager", "listener_manager", "server", "cluster.xds-grpc", "wasm"];
const LAST_PREFIXES = ["component", "istio"];
const SUFFIXES = ["rbac.allowed", "rbac.denied", "shadow_allowed", "shadow_denied"];
const EXPRESSIONS = ["vhost\\..*\\.route\\..*"];

const ANNOTATION = "sidecar.istio.io/statsInclusion";

/**
 * The `stats_config` of a sidecar: Istio's inclusion list, and what the annotations
 * `sidecar.istio.io/statsInclusionPrefixes`, `…Suffixes` and `…Regexps` add, each a list with commas; `{pod_ip}`
 * stands for each address of the workload. They are looked for in the node's metadata: under `ANNOTATIONS`, and at its
 * top, where `ISTIO_METAJSON_ANNOTATIONS` of an injected pod puts them.
 */
export function statsConfig(metadata: Readonly<Record<string, Json>>, addresses: readonly string[]): Json {
  const asked = (kind: "Prefixes" | "Suffixes" | "Regexps"): string[] =>
    annotation(metadata, `${ANNOTATION}${kind}`)
      .split(",")
      .map((entry) => entry.trim())
      .filter((entry) => entry !== "")
      .flatMap((entry) => withAddresses(entry, addresses));
  const patterns: Json[] = [
    ...[...PREFIXES, ...asked("Prefixes")].map((prefix): Json => ({ prefix })),
    ...[...SUFFIXES, ...asked("Suffixes")].map((suffix): Json => ({ suffix })),
    ...[...EXPRESSIONS, ...asked("Regexps")].map((regex): Json => ({ safeRegex: { regex } })),
    ...LAST_PREFIXES.map((prefix): Json => ({ prefix })),
  ];
  return {
    statsTags: [{ tagName: "cluster_name" }, { tagName: "listener_address" }],
    statsMatcher: { inclusionList: { patterns } },
  };
}

function annotation(metadata: Readonly<Record<string, Json>>, name: string): string {
  const { ANNOTATIONS: all } = metadata;
  const own = typeof all === "object" && all !== null && !Array.isArray(all) ? all[name] : undefined;
  const value = metadata[name] ?? own;
  return typeof value === "string" ? value : "";
}

function withAddresses(entry: string, addresses: readonly string[]): string[] {
  return entry.includes("{pod_ip}") ? addresses.map((ip) => entry.replaceAll("{pod_ip}", ip)) : [entry];
}
