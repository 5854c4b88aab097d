import { create } from "@bufbuild/protobuf";
import { TrafficDirection } from "@mixerless/wire/envoy/config/core/v3/base";
import { type Listener, ListenerSchema } from "@mixerless/wire/envoy/config/listener/v3/listener";
import { pluginProvenance } from "../extensions/plugin-filters.ts";
import { from, type Generated } from "../generated.ts";
import type { GeneratorInput } from "../generator-input.ts";
import { socketAddress } from "../proto.ts";
import { authorizationProvenance } from "../security/authorization-filters.ts";
import { telemetryProvenance } from "../telemetry-of.ts";
import { listenerAccessLogs } from "./access-logs.ts";
import { gatewayChains } from "./gateway-chains.ts";
import { type GatewayPlan, gatewayPlans } from "./gateway-plan.ts";
import { TLS_INSPECTOR } from "./listener-filters.ts";

/** The listeners of a gateway proxy: one for each address and port that its Gateways open, and that leads anywhere. */
export function gatewayListeners(input: GeneratorInput): Generated<Listener>[] {
  return gatewayPlans(input).flatMap((plan) => gatewayListener(input, plan) ?? []);
}

function gatewayListener(input: GeneratorInput, plan: GatewayPlan): Generated<Listener> | undefined {
  const { name, bind, port, servers } = plan;
  const { chains, virtualServices } = gatewayChains(input, plan);
  if (chains.length === 0) return undefined;
  const plain = servers.every(({ kind }) => kind === "http" || kind === "tcp");
  const message = create(ListenerSchema, {
    name,
    address: socketAddress(bind, port),
    trafficDirection: TrafficDirection.OUTBOUND,
    listenerFilters: plain ? [] : [TLS_INSPECTOR],
    filterChains: chains,
    accessLog: listenerAccessLogs(input, "gateway"),
  });
  const provenance = [
    ...servers.flatMap(({ gateway, server }) => from(gateway.config, server.path)),
    ...virtualServices.flatMap(({ config }) => from(config, "spec")),
    ...authorizationProvenance(input),
    ...telemetryProvenance(input),
    ...pluginProvenance(
      input,
      { listenerClass: "gateway", port },
      servers.some(({ kind }) => kind.startsWith("http")) ? "http" : "network",
    ),
  ];
  return { name, message, provenance };
}
