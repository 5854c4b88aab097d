import { create } from "@bufbuild/protobuf";
import { type Route, RouteSchema } from "@mixerless/wire/envoy/config/route/v3/route_components";
import type { OutboundTrafficPolicy } from "../../config/kinds/sidecar.ts";
import { outboundClusterName, PASSTHROUGH_CLUSTER } from "../names.ts";
import { duration } from "../proto.ts";
import { matchEverything } from "./route-match.ts";

/** For hosts that nobody registered. Virtual host and route have the same name; telemetry goes by it. */
export function catchAll(policy: OutboundTrafficPolicy): { name: "allow_any" | "block_all"; route: Route } {
  if (policy.mode === "REGISTRY_ONLY") {
    const route = create(RouteSchema, {
      name: "block_all",
      match: matchEverything(),
      action: { case: "directResponse", value: { status: 502 } },
    });
    return { name: "block_all", route };
  }
  const egress = policy.egressProxy;
  const cluster =
    egress === undefined ? PASSTHROUGH_CLUSTER : outboundClusterName(egress.host, egress.port ?? 0, egress.subset);
  const route = create(RouteSchema, {
    name: "allow_any",
    match: matchEverything(),
    action: {
      case: "route",
      value: {
        clusterSpecifier: { case: "cluster", value: cluster },
        timeout: duration(0),
        maxGrpcTimeout: duration(0),
      },
    },
  });
  return { name: "allow_any", route };
}
