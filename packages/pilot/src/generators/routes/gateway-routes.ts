import { create } from "@bufbuild/protobuf";
import { type RouteConfiguration, RouteConfigurationSchema } from "@mixerless/wire/envoy/config/route/v3/route";
import {
  type Route,
  type VirtualHost,
  VirtualHost_TlsRequirementType,
  VirtualHostSchema,
} from "@mixerless/wire/envoy/config/route/v3/route_components";
import { from, type Generated, type Provenance } from "../generated.ts";
import type { GeneratorInput } from "../generator-input.ts";
import { gatewayPlans, type PlannedServer } from "../listeners/gateway-plan.ts";
import { isCatchAll } from "./route-match.ts";
import { RouteOrigins } from "./route-origins.ts";
import { servedHost } from "./served-host.ts";
import { surroundings } from "./surroundings.ts";
import { virtualServiceRoutes } from "./virtual-service-routes.ts";

/** The route configurations of a gateway; an unknown name gets an empty one: its listener is going away. */
export function gatewayRoutes(input: GeneratorInput, names: Iterable<string>): Generated<RouteConfiguration>[] {
  const plans = gatewayPlans(input);
  return [...names].map((name) => {
    // HTTP servers of one address share their routes, each HTTPS server has its own.
    const servers = plans.flatMap((plan) => plan.servers.filter(({ routeName }) => routeName === name));
    const [first] = servers;
    if (first === undefined) return { name, message: create(RouteConfigurationSchema, { name }), provenance: [] };
    return gatewayRoute(input, name, first.server.port.number, servers);
  });
}

function gatewayRoute(
  input: GeneratorInput,
  name: string,
  port: number,
  servers: readonly PlannedServer[],
): Generated<RouteConfiguration> {
  const routesByHost = new Map<string, Route[]>();
  const provenance: Provenance[] = [];
  const origins = new RouteOrigins();
  const redirects = new Set<string>();
  for (const { gateway, server } of servers) {
    if (server.tls?.httpsRedirect === true) for (const { host } of server.serverHosts) redirects.add(host);
    for (const virtualService of input.push.gatewayVirtualServices(gateway.key)) {
      const hosts = virtualService.hosts.flatMap((host) => servedHost(host, virtualService, server.serverHosts) ?? []);
      if (hosts.length === 0) continue;
      const around = surroundings(input, port, (host) => input.push.service(host), false, origins);
      const context = {
        proxy: input.proxy,
        push: input.push,
        gateways: new Set([gateway.key]),
        port: server.port.number,
      };
      const routes = virtualServiceRoutes(virtualService, context, around);
      provenance.push(...from(virtualService.config));
      for (const host of new Set(hosts)) routesByHost.set(host, [...(routesByHost.get(host) ?? []), ...routes]);
    }
    provenance.push(...from(gateway.config, server.path));
  }
  const hosts = new Set([...routesByHost.keys(), ...redirects]);
  const virtualHosts = [...hosts]
    .sort()
    .map((host) => virtualHost(host, port, catchAllLast(routesByHost.get(host) ?? []), redirects.has(host)));
  if (virtualHosts.length === 0)
    virtualHosts.push(create(VirtualHostSchema, { name: `blackhole:${port}`, domains: ["*"] }));
  const message = create(RouteConfigurationSchema, {
    name,
    virtualHosts,
    validateClusters: false,
    ignorePortInHostMatching: true,
  });
  return { name, message, provenance, elements: origins.elementsOf(message) };
}

function virtualHost(host: string, port: number, routes: Route[], redirect: boolean): VirtualHost {
  const lower = host.toLowerCase();
  return create(VirtualHostSchema, {
    name: `${lower}:${port}`,
    domains: [lower],
    routes,
    includeRequestAttemptCount: true,
    ...(redirect ? { requireTls: VirtualHost_TlsRequirementType.ALL } : {}),
  });
}

/** Several VirtualServices of one host are one list; what takes everything must not hide the others. */
function catchAllLast(routes: readonly Route[]): Route[] {
  const everything = (route: Route) => route.match !== undefined && isCatchAll(route.match);
  return [...routes.filter((route) => !everything(route)), ...routes.filter(everything)];
}
