import type { MessageInitShape } from "@bufbuild/protobuf";
import type { FilterChainSchema } from "@mixerless/wire/envoy/config/listener/v3/listener_components";
import type { ResolvedVirtualService } from "../../model/virtual-service.ts";
import { isVisibleTo } from "../../model/visibility.ts";
import type { TrafficPlace } from "../extensions/plugin-filters.ts";
import type { GeneratorInput } from "../generator-input.ts";
import { sniClusterName } from "../names.ts";
import { duration } from "../proto.ts";
import { servedHost } from "../routes/served-host.ts";
import { FROM_MESH } from "../tls/alpn.ts";
import { serverTls } from "../tls/server-tls.ts";
import { cidrRange } from "./cidr-range.ts";
import { type GatewayPlan, type PlannedServer, serverNames } from "./gateway-plan.ts";
import { httpConnectionManager } from "./http-connection-manager.ts";
import { type TcpTarget, tcpFilters } from "./tcp-proxy.ts";
import { gatewayTcpTarget } from "./tcp-routes.ts";
import { reachableFromGateway } from "./tcp-target.ts";
import { firstOfEachName, isServed, type SniRoute, sniRoutes } from "./tls-routes.ts";

type Chain = MessageInitShape<typeof FilterChainSchema>;

/** A chain and the VirtualServices that it follows. */
export interface GatewayChains {
  readonly chains: Chain[];
  readonly virtualServices: readonly ResolvedVirtualService[];
}

/** How long a handshake may take [§7.7]. */
const HANDSHAKE_TIMEOUT = 15_000;

/** The chains of a gateway's listener: one for HTTP or TCP in clear, else those of each server by its names [§7.7]. */
export function gatewayChains(input: GeneratorInput, plan: GatewayPlan): GatewayChains {
  const [first] = plan.servers;
  if (first?.kind === "http") return { chains: [{ filters: [manager(input, plan, first)] }], virtualServices: [] };
  const made = plan.servers.map((planned) => serverChains(input, plan, planned));
  return {
    chains: made.flatMap(({ chains }) => chains),
    virtualServices: made.flatMap(({ virtualServices }) => virtualServices),
  };
}

function serverChains(input: GeneratorInput, plan: GatewayPlan, planned: PlannedServer): GatewayChains {
  const { server, kind } = planned;
  const place = { listenerClass: "gateway", port: plan.port } as const;
  switch (kind) {
    case "https":
      return { chains: [secured(input, planned, [manager(input, plan, planned)])], virtualServices: [] };
    case "passthrough":
      return server.tls?.mode === "AUTO_PASSTHROUGH"
        ? { chains: automaticChains(input, place, planned), virtualServices: [] }
        : passthroughChains(input, place, planned);
    default: {
      const found = tcpTarget(input, planned);
      if (found === null) return { chains: [], virtualServices: [] };
      const filters = tcpFilters(input, place, found.target);
      const chain = kind === "tls" ? secured(input, planned, filters) : { filters };
      return { chains: [chain], virtualServices: [found.virtualService] };
    }
  }
}

function manager(input: GeneratorInput, { name, port }: GatewayPlan, { routeName }: PlannedServer) {
  return httpConnectionManager(input, {
    listenerClass: "gateway",
    port,
    statPrefix: `outbound_${name};`,
    routes: { rds: routeName },
  });
}

/** A chain whose TLS ends here. */
function secured(input: GeneratorInput, planned: PlannedServer, filters: NonNullable<Chain["filters"]>): Chain {
  const { tls } = planned.server;
  if (tls === undefined) return { filters };
  return {
    ...matchOf(serverNames(planned)),
    transportSocket: serverTls(input, tls, planned.kind === "https"),
    transportSocketConnectTimeout: duration(HANDSHAKE_TIMEOUT),
    filters,
  };
}

/** A star among the names takes every connection, those without a name too. */
function matchOf(names: readonly string[]): Pick<Chain, "filterChainMatch"> {
  return names.includes("*") ? {} : { filterChainMatch: { serverNames: [...names] } };
}

function virtualServicesOf({ push, proxy }: GeneratorInput, { gateway, server }: PlannedServer) {
  return push
    .gatewayVirtualServices(gateway.key, proxy.namespace)
    .filter((virtual) => virtual.hosts.some((host) => servedHost(host, virtual, server.serverHosts) !== undefined));
}

function passthroughChains(input: GeneratorInput, place: TrafficPlace, planned: PlannedServer): GatewayChains {
  const { gateway, server } = planned;
  const reachable = reachableFromGateway(input);
  const serves = isServed(serverNames(planned));
  const routes = firstOfEachName(
    virtualServicesOf(input, planned).flatMap((virtual) =>
      sniRoutes(input, virtual, reachable, server.port.number, gateway.key, serves),
    ),
  );
  return {
    chains: routes.map((route) => ({
      filterChainMatch: { serverNames: [...route.serverNames], prefixRanges: route.subnets.map(cidrRange) },
      filters: tcpFilters(input, place, route.target),
    })),
    virtualServices: routes.flatMap(({ virtualService }: SniRoute) => virtualService ?? []),
  };
}

/** A way for each port of each service, by the server name that a mesh client asks for; its TLS stays closed [§7.7]. */
function automaticChains(input: GeneratorInput, place: TrafficPlace, planned: PlannedServer): Chain[] {
  const serves = isServed(serverNames(planned));
  return input.push.services
    .filter(({ visibility, hostname, meshExternal }) => {
      return !meshExternal && serves(hostname) && isVisibleTo(visibility, input.proxy.namespace);
    })
    .flatMap(({ hostname, ports }) =>
      ports
        .filter(({ protocol }) => protocol !== "UDP")
        .map(({ port }): Chain => {
          const name = sniClusterName(hostname, port);
          return {
            filterChainMatch: { serverNames: [name], applicationProtocols: FROM_MESH },
            filters: tcpFilters(input, place, { statPrefix: name, clusters: [{ name, weight: 1 }] }),
          };
        }),
    );
}

function tcpTarget(
  input: GeneratorInput,
  planned: PlannedServer,
): { target: TcpTarget; virtualService: ResolvedVirtualService } | null {
  const { gateway, server } = planned;
  for (const virtualService of virtualServicesOf(input, planned)) {
    const reachable = reachableFromGateway(input);
    const target = gatewayTcpTarget(input, reachable, virtualService, server.port.number, gateway.key);
    if (target !== undefined) return { target, virtualService };
  }
  return null;
}
