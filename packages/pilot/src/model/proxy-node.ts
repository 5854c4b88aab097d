import type { StringMap } from "../config/kinds/common.ts";
import type { Locality } from "./locality.ts";

export type ProxyType = "sidecar" | "router" | "waypoint" | "ztunnel" | "agentgateway";

/** One xDS client, as its node message describes it (control-plane §4.1). Immutable. */
export interface ProxyNode {
  /** The node id as sent. */
  readonly id: string;
  readonly type: ProxyType;
  /** The node's `cluster`. */
  readonly serviceCluster: string;
  /** First the primary. */
  readonly ipAddresses: readonly string[];
  /** Third part of the id without its namespace: the name of the Pod or WorkloadEntry. */
  readonly name: string;
  /** Third part of the id as a whole, the key that people use. */
  readonly podKey: string;
  /** The namespace whose configuration applies. */
  readonly namespace: string;
  readonly dnsDomain: string;
  /** Labels the node claims (`LABELS` overlaid by `STATIC_LABELS`). See `PushContext.labelsOf`. */
  readonly labels: StringMap;
  /** `STATIC_LABELS` alone. */
  readonly staticLabels: StringMap;
  readonly serviceAccount: string;
  readonly network: string;
  readonly clusterId: string;
  readonly locality: Locality;
  /** `NONE` when the node says so; anything unknown counts as REDIRECT. */
  readonly interceptionMode: "REDIRECT" | "TPROXY" | "NONE";
  readonly istioVersion: string;
  /** `mixerless` or `envoy`: decides which telemetry filters it gets. */
  readonly userAgentName: string;
  /** The raw node metadata. */
  readonly metadata: Readonly<Record<string, unknown>>;
}
