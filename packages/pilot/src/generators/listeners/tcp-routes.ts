import { mostSpecific } from "../../model/most-specific.ts";
import type { Service } from "../../model/service.ts";
import type { ResolvedVirtualService } from "../../model/virtual-service.ts";
import type { GeneratorInput } from "../generator-input.ts";
import { appliesStatically } from "./l4-match.ts";
import type { TcpTarget } from "./tcp-proxy.ts";
import { type Reachable, routeTarget, serviceTarget } from "./tcp-target.ts";

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
  reachable: Reachable,
  virtualServices: readonly ResolvedVirtualService[],
  service: Service,
  port: number,
): TcpRoutes {
  const own = { subnets: [], target: serviceTarget(reachable, service, port) };
  const virtualService = mostSpecific(
    virtualServices.filter(({ tcp }) => tcp.length > 0),
    service.hostname,
  );
  if (virtualService === undefined) return { chains: [own] };
  const chains: TcpRoutes["chains"][number][] = [];
  const taken = new Set<string>();
  for (const { match, route } of virtualService.tcp) {
    const target = routeTarget(reachable, virtualService, route, port);
    for (const entry of match.length === 0 ? [undefined] : match) {
      if (entry !== undefined && !appliesStatically(entry, input, port, "mesh")) continue;
      const subnets = entry?.destinationSubnets ?? [];
      const key = [...subnets].sort().join(" ");
      if (!taken.has(key)) chains.push({ subnets, target });
      taken.add(key);
      if (subnets.length === 0) return { virtualService, chains };
    }
  }
  return { virtualService, chains: [...chains, own] };
}

/** The first TCP route of a VirtualService that applies to a gateway's port; undefined: none does. */
export function gatewayTcpTarget(
  input: GeneratorInput,
  reachable: Reachable,
  virtualService: ResolvedVirtualService,
  port: number,
  gateway: string,
): TcpTarget | undefined {
  const found = virtualService.tcp.find(
    ({ match }) => match.length === 0 || match.some((entry) => appliesStatically(entry, input, port, gateway)),
  );
  return found === undefined ? undefined : routeTarget(reachable, virtualService, found.route, port);
}
