import { hostCovers } from "../../config/host-name.ts";
import type { ResolvedVirtualService } from "../../model/virtual-service.ts";
import type { GeneratorInput } from "../generator-input.ts";
import { appliesStatically } from "./l4-match.ts";
import type { TcpTarget } from "./tcp-proxy.ts";
import { type Reachable, routeTarget } from "./tcp-target.ts";

/** Where connections go that ask for certain server names, as they are: their TLS ends elsewhere. */
export interface SniRoute {
  readonly serverNames: readonly string[];
  /** Of the original destination; empty: any. */
  readonly subnets: readonly string[];
  readonly target: TcpTarget;
  readonly virtualService?: ResolvedVirtualService;
}

/** The TLS routes of a VirtualService that apply here, one for each match; the first of a name wins [§7.4]. */
export function sniRoutes(
  input: GeneratorInput,
  virtualService: ResolvedVirtualService,
  reachable: Reachable,
  port: number,
  gateway: string,
  /** Whether connections that ask for a name come here at all. */
  serves: (serverName: string) => boolean,
): SniRoute[] {
  return virtualService.tls.flatMap(({ match, route }) =>
    match
      .filter((entry) => appliesStatically(entry, input, port, gateway))
      .flatMap(({ sniHosts, destinationSubnets }): SniRoute[] => {
        const serverNames = sniHosts.map((name) => name.toLowerCase()).filter(serves);
        if (serverNames.length === 0) return [];
        const target = routeTarget(reachable, virtualService, route, port);
        return [{ serverNames, subnets: destinationSubnets, target, virtualService }];
      }),
  );
}

/** Without what an earlier one has taken already; names that are left keep their route. */
export function firstOfEachName(routes: readonly SniRoute[]): SniRoute[] {
  const taken = new Set<string>();
  return routes.flatMap((route) => {
    const place = [...route.subnets].sort().join(" ");
    const fresh = route.serverNames.filter((name) => !taken.has(`${name} ${place}`));
    for (const name of fresh) taken.add(`${name} ${place}`);
    return fresh.length === 0 ? [] : [{ ...route, serverNames: fresh }];
  });
}

/** Whether a name is among the hosts of a service or a server. */
export function isServed(hosts: readonly string[]): (serverName: string) => boolean {
  return (serverName) => hosts.some((host) => host === "*" || hostCovers(host, serverName));
}
