import type { TrafficPolicy } from "../../config/kinds/destination-rule.ts";
import type { ClusterPolicy, MergedDestinationRule } from "../../model/destination-rule.ts";

/**
 * The policy of one cluster: destination level, in which a port entry replaces its four settings as a
 * whole, overridden field by field by the subset, in which a port entry does the same [control-plane §7.5].
 */
export function clusterPolicy(
  rule: MergedDestinationRule | undefined,
  port: number,
  subsetName: string,
): ClusterPolicy {
  const subset = rule?.subsets.find((entry) => entry.name === subsetName);
  const base = withPort(rule?.trafficPolicy, rule?.trafficPolicy, port);
  const { portLevelSettings: _, ...own } = subset?.trafficPolicy ?? { portLevelSettings: [] };
  return { ...withPort({ ...base, ...own }, subset?.trafficPolicy, port), subsetLabels: subset?.labels ?? {} };
}

type PolicyFields = Omit<ClusterPolicy, "subsetLabels">;

/** `fields`, in which the entry of `policy` for the port, if any, replaces its four settings, absent ones too. */
function withPort(
  fields: PolicyFields | TrafficPolicy | undefined,
  policy: TrafficPolicy | undefined,
  port: number,
): PolicyFields {
  const { portLevelSettings: _, ...plain }: PolicyFields & Partial<TrafficPolicy> = fields ?? {};
  const entry = policy?.portLevelSettings.find((setting) => setting.port === port);
  if (entry === undefined) return plain;
  const { loadBalancer: _1, connectionPool: _2, outlierDetection: _3, tls: _4, ...kept } = plain;
  const { port: _port, ...replaced } = entry;
  return { ...kept, ...replaced };
}
