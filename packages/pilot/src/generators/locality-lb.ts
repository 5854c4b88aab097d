import type { LocalityLbSetting } from "../config/kinds/destination-rule.ts";
import type { MeshConfigSpec } from "../config/kinds/mesh-config.ts";
import type { ClusterPolicy } from "../model/destination-rule.ts";
import type { Locality } from "../model/locality.ts";

/** How the endpoints of a cluster are ranked by where they are, seen from one proxy [control-plane §7.5]. */
export interface LocalityLb {
  readonly setting: LocalityLbSetting;
  /** Of the proxy. */
  readonly locality: Locality;
  readonly labels: Readonly<Record<string, string>>;
}

/** Undefined: localities make no difference. Failover needs outlier detection, else nothing would ever fail over. */
export function localityLb(
  policy: ClusterPolicy,
  mesh: MeshConfigSpec,
  locality: Locality,
  labels: Readonly<Record<string, string>>,
): LocalityLb | undefined {
  const setting = policy.loadBalancer?.localityLbSetting ?? mesh.localityLbSetting;
  if (setting.enabled === false) return undefined;
  const lb = { setting, locality, labels };
  if (locality.region !== "" && isDistributed(lb)) return lb;
  if (policy.outlierDetection === undefined) return undefined;
  const byLabels = setting.failoverPriority.length > 0;
  return byLabels || locality.region !== "" ? lb : undefined;
}

/** Whether a rule of `distribute` is about the proxy. */
export function isDistributed({ setting, locality }: LocalityLb): boolean {
  return setting.distribute.some(({ from }) => covers(from, locality));
}

export interface RankedEndpoint {
  readonly locality: Locality;
  readonly labels: Readonly<Record<string, string>>;
}

/** Weight of each locality under `distribute`, by its key; undefined when no rule is about this proxy. */
export function distributedWeights(
  { setting, locality }: LocalityLb,
  own: ReadonlyMap<string, { readonly locality: Locality; readonly weight: number }>,
): ReadonlyMap<string, number> | undefined {
  const rule = setting.distribute.find(({ from }) => covers(from, locality));
  if (rule === undefined) return undefined;
  const weights = new Map<string, number>();
  // The most telling pattern first: a locality belongs to the first that names it.
  const patterns = Object.entries(rule.to).sort(([a], [b]) => b.length - a.length);
  const free = new Set(own.keys());
  for (const [pattern, percent] of patterns) {
    const members = [...own].filter(([key, entry]) => free.has(key) && covers(pattern, entry.locality));
    const total = members.reduce((sum, [, { weight }]) => sum + weight, 0);
    for (const [key, { weight }] of members) {
      weights.set(key, Math.ceil((percent * weight) / total));
      free.delete(key);
    }
  }
  return weights;
}

/** Rank of an endpoint before gaps are closed: 0 is nearest. */
export function failoverRank({ setting, locality, labels }: LocalityLb, endpoint: RankedEndpoint): number {
  if (setting.failoverPriority.length > 0) return labelRank(setting.failoverPriority, labels, endpoint);
  const { region, zone, subzone } = endpoint.locality;
  if (region === locality.region) {
    if (zone !== locality.zone) return 2;
    return subzone === locality.subzone ? 0 : 1;
  }
  const rule = setting.failover.find(({ from }) => from === locality.region);
  return rule !== undefined && rule.to !== region ? 4 : 3;
}

/** Labels in order of importance: the first that differs decides. */
function labelRank(
  priorities: readonly string[],
  labels: Readonly<Record<string, string>>,
  endpoint: RankedEndpoint,
): number {
  const mismatch = priorities.findIndex((entry) => {
    const [key = "", value] = entry.split("=");
    return value === undefined ? endpoint.labels[key] !== labels[key] : endpoint.labels[key] !== value;
  });
  return mismatch < 0 ? 0 : priorities.length - mismatch;
}

/** `region/zone/subzone`, each part or the rest `*`. */
function covers(pattern: string, { region, zone, subzone }: Locality): boolean {
  const parts = [region, zone, subzone];
  for (const [index, part] of pattern.split("/").entries()) {
    if (part === "*") return true;
    if (part !== parts[index]) return false;
  }
  return true;
}
