import { create } from "@bufbuild/protobuf";
import { TrafficDirection } from "@mixerless/wire/envoy/config/core/v3/base";
import { type Listener, ListenerSchema } from "@mixerless/wire/envoy/config/listener/v3/listener";
import type { SidecarScope } from "../../model/sidecar-scope.ts";
import { from, type Generated } from "../generated.ts";
import type { GeneratorInput } from "../generator-input.ts";
import { outboundClusterName } from "../names.ts";
import { socketAddress } from "../proto.ts";
import { httpConnectionManager } from "./http-connection-manager.ts";
import { type OutboundPlan, planOutbound, routeName } from "./outbound-plan.ts";
import { tcpFilters } from "./tcp-proxy.ts";

/** The listeners that a workload's application calls its services through. */
export function outboundListeners(input: GeneratorInput, scope: SidecarScope): Generated<Listener>[] {
  return planOutbound(scope).map((plan) => outboundListener(input, scope, plan));
}

function outboundListener(input: GeneratorInput, scope: SidecarScope, plan: OutboundPlan): Generated<Listener> {
  const { name, bind, port } = plan;
  const filters =
    plan.kind === "http"
      ? [
          httpConnectionManager(input, {
            listenerClass: "outbound",
            statPrefix: `outbound_${name};`,
            routes: { rds: routeName(plan) },
          }),
        ]
      : tcpFilters(input, "outbound", outboundClusterName(plan.services[0]?.hostname ?? "", port));
  const message = create(ListenerSchema, {
    name,
    address: socketAddress(bind, port),
    trafficDirection: TrafficDirection.OUTBOUND,
    filterChains: [{ filters }],
  });
  return {
    name,
    message,
    provenance: [...from(scope.config, plan.egress.path), ...plan.services.flatMap((service) => from(service.config))],
  };
}
