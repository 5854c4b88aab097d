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
  const base = atPort(rule?.trafficPolicy, port);
  const own = atPort(subset?.trafficPolicy, port);
  return { ...base, ...own, subsetLabels: subset?.labels ?? {} };
}

type PolicyFields = Omit<ClusterPolicy, "subsetLabels">;

function atPort(policy: TrafficPolicy | undefined, port: number): PolicyFields {
  if (policy === undefined) return {};
  const { portLevelSettings, ...fields } = policy;
  const entry = portLevelSettings.find((setting) => setting.port === port);
  if (entry === undefined) return fields;
  const { loadBalancer: _1, connectionPool: _2, outlierDetection: _3, tls: _4, ...kept } = fields;
  const { port: _port, ...replaced } = entry;
  return { ...kept, ...replaced };
}
