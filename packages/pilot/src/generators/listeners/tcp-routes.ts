import type { L4Match, RouteDestination } from "../../config/kinds/virtual-service.ts";
import { mostSpecific } from "../../model/most-specific.ts";
import type { Service } from "../../model/service.ts";
import type { SidecarScope } from "../../model/sidecar-scope.ts";
import type { ResolvedVirtualService } from "../../model/virtual-service.ts";
import { clusterPolicy } from "../clusters/cluster-policy.ts";
import type { GeneratorInput } from "../generator-input.ts";
import { outboundClusterName } from "../names.ts";
import type { TcpTarget } from "./tcp-proxy.ts";

/** Where a TCP connection to a service goes, by the subnets of its original destination. */
export interface TcpRoutes {
  readonly virtualService?: ResolvedVirtualService;
  /** One for each distinct set of `destinationSubnets`, the empty one (every connection) last. */
  readonly chains: readonly { readonly subnets: readonly string[]; readonly target: TcpTarget }[];
}

/**
 * The TCP routes of the VirtualService for the service, else all to the service itself
 * [control-plane §7.4]. A match without subnets, or no match at all, is final.
 */
export function tcpRoutes(
  input: GeneratorInput,
  scope: SidecarScope,
  virtualServices: readonly ResolvedVirtualService[],
  service: Service,
  port: number,
): TcpRoutes {
  const own = { subnets: [], target: serviceTarget(input, scope, service, port) };
  const virtualService = mostSpecific(
    virtualServices.filter(({ tcp }) => tcp.length > 0),
    service.hostname,
  );
  if (virtualService === undefined) return { chains: [own] };
  const chains: TcpRoutes["chains"][number][] = [];
  const taken = new Set<string>();
  for (const { match, route } of virtualService.tcp) {
    const target = routeTarget(input, scope, virtualService, route, port);
    for (const entry of match.length === 0 ? [undefined] : match) {
      if (entry !== undefined && !applies(entry, input, port)) continue;
      const subnets = entry?.destinationSubnets ?? [];
      const key = [...subnets].sort().join(" ");
      if (!taken.has(key)) chains.push({ subnets, target });
      taken.add(key);
      if (subnets.length === 0) return { virtualService, chains };
    }
  }
  return { virtualService, chains: [...chains, own] };
}

function applies(match: L4Match, { proxy, push }: GeneratorInput, port: number): boolean {
  if (match.port !== undefined && match.port !== port) return false;
  if (match.gateways.length > 0) return match.gateways.includes("mesh");
  if (match.sourceNamespace !== "" && match.sourceNamespace !== proxy.namespace) return false;
  const labels = push.labelsOf(proxy);
  return Object.entries(match.sourceLabels).every(([key, value]) => labels[key] === value);
}

function serviceTarget(input: GeneratorInput, scope: SidecarScope, service: Service, port: number): TcpTarget {
  const cluster = outboundClusterName(service.hostname, port);
  return {
    statPrefix: cluster,
    clusters: [{ name: cluster, weight: 1 }],
    ...policy(input, scope, service.hostname, port),
  };
}

function routeTarget(
  input: GeneratorInput,
  scope: SidecarScope,
  virtualService: ResolvedVirtualService,
  route: readonly RouteDestination[],
  listenerPort: number,
): TcpTarget {
  const clusters = route
    .filter((entry) => route.length === 1 || entry.weight > 0)
    .map(({ destination, weight }) => {
      const port = destination.port ?? onlyPort(input, scope, destination.host) ?? listenerPort;
      return { name: outboundClusterName(destination.host, port, destination.subset), weight };
    });
  const [first] = clusters;
  const single = clusters.length === 1 && first !== undefined;
  const statPrefix = single ? first.name : `${virtualService.name}.${virtualService.namespace}`;
  const destination = route[0]?.destination;
  const port = destination?.port ?? listenerPort;
  return { statPrefix, clusters, ...policy(input, scope, destination?.host ?? "", port, destination?.subset) };
}

function onlyPort({ push }: GeneratorInput, scope: SidecarScope, host: string): number | undefined {
  const ports = (scope.service(host) ?? push.service(host))?.ports ?? [];
  return ports.length === 1 ? ports[0]?.port : undefined;
}

/** Idle timeout and hashing by source address, from the DestinationRule of the (first) destination. */
function policy(
  { push, proxy }: GeneratorInput,
  scope: SidecarScope,
  host: string,
  port: number,
  subset = "",
): Pick<TcpTarget, "idleTimeout" | "hashSourceIp"> {
  const { loadBalancer, connectionPool } = clusterPolicy(
    scope.destinationRule(host, push.labelsOf(proxy)),
    port,
    subset,
  );
  const idleTimeout = connectionPool?.tcp?.idleTimeout;
  return {
    ...(idleTimeout === undefined ? {} : { idleTimeout }),
    hashSourceIp: loadBalancer?.consistentHash?.key?.type === "source-ip",
  };
}
