import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { TrafficDirection } from "@mixerless/wire/envoy/config/core/v3/base";
import { type Listener, ListenerSchema } from "@mixerless/wire/envoy/config/listener/v3/listener";
import type { FilterChainSchema } from "@mixerless/wire/envoy/config/listener/v3/listener_components";
import type { SidecarScope } from "../../model/sidecar-scope.ts";
import type { ResolvedVirtualService } from "../../model/virtual-service.ts";
import { from, type Generated } from "../generated.ts";
import { type GeneratorInput, identityOf, shared } from "../generator-input.ts";
import { socketAddress } from "../proto.ts";
import { listenerAccessLogs } from "./access-logs.ts";
import { httpConnectionManager } from "./http-connection-manager.ts";
import { type OutboundPlan, planOutbound, routeName } from "./outbound-plan.ts";
import { tcpFilters } from "./tcp-proxy.ts";
import { tcpRoutes } from "./tcp-routes.ts";

/** The listeners that a workload's application calls its services through. */
export function outboundListeners(input: GeneratorInput, scope: SidecarScope): Generated<Listener>[] {
  return shared(
    input,
    () => `lds ${identityOf(input, scope)}`,
    () => planOutbound(scope).map((plan) => outboundListener(input, scope, plan)),
  );
}

function outboundListener(input: GeneratorInput, scope: SidecarScope, plan: OutboundPlan): Generated<Listener> {
  const { name, bind, port } = plan;
  const { chains, virtualService } = plan.kind === "http" ? httpChains(input, plan) : tcpChains(input, scope, plan);
  const message = create(ListenerSchema, {
    name,
    address: socketAddress(bind, port),
    trafficDirection: TrafficDirection.OUTBOUND,
    filterChains: chains,
    accessLog: listenerAccessLogs(input),
  });
  return {
    name,
    message,
    provenance: [
      ...from(scope.config, plan.egress.path),
      ...from(virtualService?.config, "spec.tcp"),
      ...plan.services.flatMap((service) => from(service.config)),
    ],
  };
}

interface Chains {
  readonly chains: MessageInitShape<typeof FilterChainSchema>[];
  readonly virtualService?: ResolvedVirtualService;
}

function httpChains(input: GeneratorInput, plan: OutboundPlan): Chains {
  const manager = httpConnectionManager(input, {
    listenerClass: "outbound",
    statPrefix: `outbound_${plan.name};`,
    routes: { rds: routeName(plan) },
  });
  return { chains: [{ filters: [manager] }] };
}

function tcpChains(input: GeneratorInput, scope: SidecarScope, plan: OutboundPlan): Chains {
  const [service] = plan.services;
  if (service === undefined) return { chains: [] };
  const { chains, virtualService } = tcpRoutes(input, scope, plan.egress.virtualServices, service, plan.port);
  return {
    chains: chains.map(({ subnets, target }) => ({
      ...(subnets.length === 0 ? {} : { filterChainMatch: { prefixRanges: subnets.map(cidrRange) } }),
      filters: tcpFilters(input, "outbound", target),
    })),
    ...(virtualService === undefined ? {} : { virtualService }),
  };
}

function cidrRange(subnet: string): { addressPrefix: string; prefixLen: number } {
  const [addressPrefix = "", length] = subnet.split("/");
  return { addressPrefix, prefixLen: length === undefined ? (addressPrefix.includes(":") ? 128 : 32) : Number(length) };
}
