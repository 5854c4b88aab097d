import { create } from "@bufbuild/protobuf";
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  ClusterSchema,
} from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import type { Generated } from "../generated.ts";
import { BLACK_HOLE_CLUSTER, PASSTHROUGH_CLUSTER } from "../names.ts";
import { duration } from "../proto.ts";

/**
 * Where unknown destinations go. Without capture nobody knows the original destination, so the
 * passthrough cluster has no endpoints: such requests get 503 and the flag UH [decision 7].
 */
export function specialClusters(): Generated<Cluster>[] {
  return [BLACK_HOLE_CLUSTER, PASSTHROUGH_CLUSTER].map((name) => ({
    name,
    message: create(ClusterSchema, {
      name,
      clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
      lbPolicy: Cluster_LbPolicy.ROUND_ROBIN,
      connectTimeout: duration(10_000),
      commonLbConfig: { healthyPanicThreshold: { value: 0 } },
      loadAssignment: { clusterName: name },
    }),
    provenance: [],
  }));
}
