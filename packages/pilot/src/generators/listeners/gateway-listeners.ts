import { create } from "@bufbuild/protobuf";
import { TrafficDirection } from "@mixerless/wire/envoy/config/core/v3/base";
import { type Listener, ListenerSchema } from "@mixerless/wire/envoy/config/listener/v3/listener";
import { from, type Generated } from "../generated.ts";
import type { GeneratorInput } from "../generator-input.ts";
import { socketAddress } from "../proto.ts";
import { authorizationProvenance } from "../security/authorization-filters.ts";
import { listenerAccessLogs } from "./access-logs.ts";
import { planGateways } from "./gateway-plan.ts";
import { httpConnectionManager } from "./http-connection-manager.ts";

/** The listeners of a gateway proxy: one for each address and port that its Gateways open. */
export function gatewayListeners(input: GeneratorInput): Generated<Listener>[] {
  return planGateways(input.push.gateways(input.proxy)).map((plan) => {
    const { name, bind, port, routeName } = plan;
    const filter = httpConnectionManager(input, {
      listenerClass: "gateway",
      statPrefix: `outbound_${name};`,
      routes: { rds: routeName },
    });
    const message = create(ListenerSchema, {
      name,
      address: socketAddress(bind, port),
      trafficDirection: TrafficDirection.OUTBOUND,
      filterChains: [{ filters: [filter] }],
      accessLog: listenerAccessLogs(input),
    });
    return {
      name,
      message,
      provenance: [
        ...plan.servers.flatMap(({ gateway, server }) => from(gateway.config, server.path)),
        ...authorizationProvenance(input),
      ],
    };
  });
}
