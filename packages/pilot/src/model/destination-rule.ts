import type { ConfigObject } from "../config/config-object.ts";
import type { StringMap, WorkloadSelector } from "../config/kinds/common.ts";
import type { PortTrafficPolicy, Subset, TrafficPolicy } from "../config/kinds/destination-rule.ts";
import type { Visibility } from "./visibility.ts";

/** DestinationRules of one host and namespace, merged (control-plane §7.5). */
export interface MergedDestinationRule {
  /** Lower case, fully qualified; may be a wildcard. */
  readonly host: string;
  readonly namespace: string;
  readonly trafficPolicy?: TrafficPolicy;
  readonly subsets: readonly Subset[];
  readonly visibility: Visibility;
  readonly workloadSelector?: WorkloadSelector;
  /** Oldest first; the first names the rule in cluster metadata. */
  readonly configs: readonly ConfigObject<"DestinationRule">[];
}

/** The policy of one cluster: destination, port and subset levels folded into one. */
export interface ClusterPolicy
  extends PortTrafficPolicy,
    Pick<TrafficPolicy, "tunnel" | "proxyProtocol" | "retryBudget"> {
  /** Labels of the subset; empty for the default cluster. */
  readonly subsetLabels: StringMap;
}
