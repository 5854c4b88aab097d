import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  FilterChainMatchSchema,
  FilterChainSchema,
} from "@mixerless/wire/envoy/config/listener/v3/listener_components";
import { mostSpecific } from "../../model/most-specific.ts";
import type { Service } from "../../model/service.ts";
import type { SidecarScope } from "../../model/sidecar-scope.ts";
import type { ResolvedVirtualService } from "../../model/virtual-service.ts";
import { isDynamic } from "../dynamic-dns.ts";
import type { GeneratorInput } from "../generator-input.ts";
import { BLACK_HOLE_CLUSTER, PASSTHROUGH_CLUSTER } from "../names.ts";
import { cidrRange } from "./cidr-range.ts";
import { isTlsPort, type OutboundPlan } from "./outbound-plan.ts";
import { tcpFilters } from "./tcp-proxy.ts";
import { tcpRoutes } from "./tcp-routes.ts";
import { reachableFromSidecar, serviceTarget } from "./tcp-target.ts";
import { firstOfEachName, isServed, type SniRoute, sniRoutes } from "./tls-routes.ts";

type Chain = MessageInitShape<typeof FilterChainSchema>;
type Match = MessageInitShape<typeof FilterChainMatchSchema>;

export interface TcpChains {
  readonly chains: Chain[];
  /** For connections that ask for a name that nobody has. */
  readonly fallback?: Chain;
  readonly virtualServices: readonly ResolvedVirtualService[];
  /** Chains are told apart by server names. */
  readonly inspects: boolean;
}

/**
 * The chains of an outbound TCP listener [control-plane §4.3, §7.4]. Services that speak TLS share it, each behind
 * the server names that its VirtualService or its own host says; beside them one service of plain TCP has the rest.
 */
export function sidecarTcpChains(input: GeneratorInput, scope: SidecarScope, plan: OutboundPlan): TcpChains {
  const { services, port, egress } = plan;
  const reachable = reachableFromSidecar(input, scope);
  const secured = services.filter((service) => isTlsPort(service, port));
  const plain = services.find((service) => !isTlsPort(service, port));
  const byName = firstOfEachName(secured.flatMap((service) => securedRoutes(input, scope, plan, service)));
  const chains = byName.map(({ serverNames, subnets, target }) =>
    chain({ serverNames: [...serverNames], prefixRanges: subnets.map(cidrRange) }, input, port, target),
  );
  const virtualServices = byName.flatMap(({ virtualService }) => virtualService ?? []);
  const inspects = byName.length > 0;
  const rest = plain ?? (inspects ? undefined : secured[0]);
  if (rest === undefined) return { chains, fallback: fallback(input, scope, port), virtualServices, inspects };
  const routes = tcpRoutes(input, reachable, isTlsPort(rest, port) ? [] : egress.virtualServices, rest, port);
  for (const { subnets, target } of routes.chains)
    chains.push(chain(subnets.length === 0 ? null : { prefixRanges: subnets.map(cidrRange) }, input, port, target));
  if (routes.virtualService !== undefined) virtualServices.push(routes.virtualService);
  return { chains, virtualServices, inspects };
}

/** A service alone on its listener needs no name: whoever connects there wants it. */
function securedRoutes(input: GeneratorInput, scope: SidecarScope, plan: OutboundPlan, service: Service): SniRoute[] {
  const { port, egress, services } = plan;
  const reachable = reachableFromSidecar(input, scope);
  const virtualService = mostSpecific(
    egress.virtualServices.filter(({ tls }) => tls.length > 0),
    service.hostname,
  );
  const routes =
    virtualService === undefined
      ? []
      : sniRoutes(input, virtualService, reachable, port, "mesh", isServed(virtualService.hosts));
  if (routes.length > 0) return routes;
  const target = serviceTarget(reachable, service, port);
  if (isDynamic(input, service))
    return [{ serverNames: [service.hostname], subnets: [], target: { ...target, dynamicPort: port } }];
  if (services.length === 1) return [];
  return [{ serverNames: [service.hostname], subnets: [], target }];
}

/** Without capture nobody knows where else the connection wanted to go. */
function fallback(input: GeneratorInput, { outboundTrafficPolicy }: SidecarScope, port: number): Chain {
  const cluster = outboundTrafficPolicy.mode === "REGISTRY_ONLY" ? BLACK_HOLE_CLUSTER : PASSTHROUGH_CLUSTER;
  const target = { statPrefix: cluster, clusters: [{ name: cluster, weight: 1 }] };
  return { ...chain(null, input, port, target), name: "PassthroughFilterChain" };
}

function chain(match: Match | null, input: GeneratorInput, port: number, target: SniRoute["target"]): Chain {
  return {
    ...(match === null ? {} : { filterChainMatch: match }),
    filters: tcpFilters(input, { listenerClass: "outbound", port }, target),
  };
}
