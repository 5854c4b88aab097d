import { create } from "@bufbuild/protobuf";
import { TrafficDirection } from "@mixerless/wire/envoy/config/core/v3/base";
import { type Listener, ListenerSchema } from "@mixerless/wire/envoy/config/listener/v3/listener";
import type { SidecarScope } from "../../model/sidecar-scope.ts";
import { isDynamic } from "../dynamic-dns.ts";
import { pluginProvenance, pluginsOf, type TrafficPlace } from "../extensions/plugin-filters.ts";
import { from, type Generated } from "../generated.ts";
import { type GeneratorInput, httpProxyPort, identityOf, shared } from "../generator-input.ts";
import { addressOf } from "../proto.ts";
import { telemetryOf, telemetryProvenance } from "../telemetry-of.ts";
import { listenerAccessLogs } from "./access-logs.ts";
import { httpConnectionManager } from "./http-connection-manager.ts";
import { tlsInspection } from "./listener-filters.ts";
import { type OutboundPlan, planOutbound } from "./outbound-plan.ts";
import { sidecarTcpChains, type TcpChains } from "./sidecar-tcp-chains.ts";

/** The listeners that a workload's application calls its services through. */
export function outboundListeners(input: GeneratorInput, scope: SidecarScope): Generated<Listener>[] {
  return shared(
    input,
    () =>
      `lds ${identityOf(input, scope)} ${httpProxyPort(input)} ${identityOf(input, telemetryOf(input))} ${pluginKey(input)}`,
    () => planOutbound(scope, httpProxyPort(input)).map((plan) => outboundListener(input, scope, plan)),
  );
}

function outboundListener(input: GeneratorInput, scope: SidecarScope, plan: OutboundPlan): Generated<Listener> {
  const { name, bind, port } = plan;
  const { chains, fallback, virtualServices, inspects } =
    plan.kind === "http" ? httpChains(input, plan) : sidecarTcpChains(input, scope, plan);
  const message = create(ListenerSchema, {
    name,
    address: addressOf(bind, port),
    trafficDirection: TrafficDirection.OUTBOUND,
    ...(inspects ? tlsInspection(input.push.mesh) : {}),
    filterChains: chains,
    accessLog: listenerAccessLogs(input, "outbound"),
    ...(fallback === undefined ? {} : { defaultFilterChain: fallback }),
  });
  return {
    name,
    message,
    provenance: [
      ...from(scope.config, plan.egress.path),
      ...virtualServices.flatMap(({ config }) => from(config, "spec")),
      ...plan.services.flatMap((service) => from(service.config)),
      ...telemetryProvenance(input),
      ...pluginProvenance(input, placeOf(plan), plan.kind === "http" ? "http" : "network"),
    ],
  };
}

function placeOf({ port }: OutboundPlan): TrafficPlace {
  return { listenerClass: "outbound", port };
}

/** Plugins go by the labels of the workload. */
function pluginKey(input: GeneratorInput): string {
  return pluginsOf(input)
    .map((plugin) => identityOf(input, plugin))
    .join();
}

function httpChains(input: GeneratorInput, plan: OutboundPlan): TcpChains {
  const manager = httpConnectionManager(input, {
    ...placeOf(plan),
    statPrefix: `outbound_${plan.name};`,
    dynamicDns: plan.services.some((service) => isDynamic(input, service)),
    routes: { rds: plan.routeName },
  });
  return { chains: [{ filters: [manager] }], virtualServices: [], inspects: false };
}
