import type { RouteDestination } from "../../config/kinds/virtual-service.ts";
import { aliasTarget } from "../../model/alias-target.ts";
import type { MergedDestinationRule } from "../../model/destination-rule.ts";
import type { Service } from "../../model/service.ts";
import type { SidecarScope } from "../../model/sidecar-scope.ts";
import type { ResolvedVirtualService } from "../../model/virtual-service.ts";
import { clusterPolicy } from "../clusters/cluster-policy.ts";
import type { GeneratorInput } from "../generator-input.ts";
import { outboundClusterName } from "../names.ts";
import type { TcpTarget } from "./tcp-proxy.ts";

/** What a proxy sees of a host that connections may lead to. */
export interface Reachable {
  readonly service: (host: string) => Service | undefined;
  readonly destinationRule: (host: string) => MergedDestinationRule | undefined;
}

export function reachableFromSidecar({ push, proxy }: GeneratorInput, scope: SidecarScope): Reachable {
  return {
    service: (host) => scope.service(host) ?? push.service(host),
    destinationRule: (host) => scope.destinationRule(host, push.labelsOf(proxy)),
  };
}

export function reachableFromGateway({ push, proxy }: GeneratorInput): Reachable {
  return {
    service: (host) => push.service(host),
    destinationRule: (host) => push.destinationRule(proxy.namespace, push.labelsOf(proxy), host),
  };
}

/** All to the service itself, or to the one that it stands for (ExternalName). */
export function serviceTarget(reachable: Reachable, service: Service, port: number): TcpTarget {
  const hostname = aliasTarget(service.hostname, reachable.service);
  const cluster = outboundClusterName(hostname, port);
  return { statPrefix: cluster, clusters: [{ name: cluster, weight: 1 }], ...policy(reachable, hostname, port) };
}

/** Where a TCP or TLS route of a VirtualService leads. */
export function routeTarget(
  reachable: Reachable,
  virtualService: ResolvedVirtualService,
  route: readonly RouteDestination[],
  listenerPort: number,
): TcpTarget {
  const clusters = route
    .filter((entry) => route.length === 1 || entry.weight > 0)
    .map(({ destination, weight }) => {
      const host = aliasTarget(destination.host, reachable.service);
      const port = destination.port ?? onlyPort(reachable, host) ?? listenerPort;
      return { name: outboundClusterName(host, port, destination.subset), weight };
    });
  const [first] = clusters;
  const single = clusters.length === 1 && first !== undefined;
  const statPrefix = single ? first.name : `${virtualService.name}.${virtualService.namespace}`;
  const destination = route[0]?.destination;
  const port = destination?.port ?? listenerPort;
  return {
    statPrefix,
    clusters,
    ...policy(reachable, aliasTarget(destination?.host ?? "", reachable.service), port, destination?.subset),
  };
}

function onlyPort(reachable: Reachable, host: string): number | undefined {
  const ports = reachable.service(host)?.ports ?? [];
  return ports.length === 1 ? ports[0]?.port : undefined;
}

/** Idle timeout and hashing by source address, from the DestinationRule of the (first) destination. */
function policy(
  reachable: Reachable,
  host: string,
  port: number,
  subset = "",
): Pick<TcpTarget, "idleTimeout" | "hashSourceIp"> {
  const { loadBalancer, connectionPool } = clusterPolicy(reachable.destinationRule(host), port, subset);
  const idleTimeout = connectionPool?.tcp?.idleTimeout;
  return {
    ...(idleTimeout === undefined ? {} : { idleTimeout }),
    hashSourceIp: loadBalancer?.consistentHash?.key?.type === "source-ip",
  };
}
