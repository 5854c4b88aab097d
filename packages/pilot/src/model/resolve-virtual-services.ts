import type { ConfigObject } from "../config/config-object.ts";
import type { ConfigSnapshot } from "../config/config-snapshot.ts";
import type { Destination } from "../config/kinds/common.ts";
import type { MeshConfigSpec } from "../config/kinds/mesh-config.ts";
import type { HttpRoute, L4Match, RouteDestination } from "../config/kinds/virtual-service.ts";
import { mergeDelegate } from "./merge-delegate.ts";
import { type NameScope, resolveGatewayName, resolveHost } from "./resolve-name.ts";
import type { ResolvedHttpRoute, ResolvedVirtualService } from "./virtual-service.ts";
import { isVisibleTo, resolveVisibility } from "./visibility.ts";

type VirtualServiceConfig = ConfigObject<"VirtualService">;

/** All VirtualServices that have hosts, oldest first, with names in full and delegates merged in. */
export function resolveVirtualServices(
  snapshot: ConfigSnapshot,
  mesh: MeshConfigSpec,
  clusterDomain: string,
): readonly ResolvedVirtualService[] {
  const configs = snapshot.list("VirtualService");
  const exportDefault = mesh.defaultVirtualServiceExportTo;
  const delegates = new Map<string, ResolvedVirtualService>();
  for (const config of configs) {
    if (config.spec.hosts.length > 0) continue;
    delegates.set(`${config.namespace}/${config.name}`, resolve(config, exportDefault, clusterDomain, NO_DELEGATES));
  }
  const roots = configs.filter((config) => config.spec.hosts.length > 0);
  return Object.freeze(roots.map((config) => resolve(config, exportDefault, clusterDomain, delegates)));
}

const NO_DELEGATES: ReadonlyMap<string, ResolvedVirtualService> = new Map();

function resolve(
  config: VirtualServiceConfig,
  exportDefault: readonly string[],
  clusterDomain: string,
  delegates: ReadonlyMap<string, ResolvedVirtualService>,
): ResolvedVirtualService {
  const { spec, name, namespace } = config;
  const scope: NameScope = { namespace, clusterDomain };
  return Object.freeze<ResolvedVirtualService>({
    name,
    namespace,
    hosts: Object.freeze(spec.hosts.map((host) => resolveHost(host, scope))),
    gateways: Object.freeze(spec.gateways.map((gateway) => resolveGatewayName(gateway, namespace))),
    http: Object.freeze(spec.http.flatMap((route, index) => httpRoutes(config, route, index, scope, delegates))),
    tls: spec.tls.map(({ match, route }) => ({
      match: match.map((entry) => resolveGateways(entry, namespace)),
      route: route.map((entry) => resolveRoute(entry, scope)),
    })),
    tcp: spec.tcp.map(({ match, route }) => ({
      match: match.map((entry) => resolveGateways(entry, namespace)),
      route: route.map((entry) => resolveRoute(entry, scope)),
    })),
    visibility: resolveVisibility(spec.exportTo, namespace, exportDefault),
    config,
  });
}

/** A route as it is, or the routes of its delegate; none when the delegate is missing or not exported here. */
function httpRoutes(
  config: VirtualServiceConfig,
  route: HttpRoute,
  index: number,
  scope: NameScope,
  delegates: ReadonlyMap<string, ResolvedVirtualService>,
): ResolvedHttpRoute[] {
  const { delegate, ...rest } = route;
  const resolved = Object.freeze<ResolvedHttpRoute>({
    ...rest,
    match: rest.match.map((entry) => resolveGateways(entry, scope.namespace)),
    route: rest.route.map((entry) => resolveRoute(entry, scope)),
    mirrors: rest.mirrors.map((mirror) => ({ ...mirror, destination: resolveDestination(mirror.destination, scope) })),
    config,
    path: `spec.http[${index}]`,
  });
  if (delegate === undefined) return [resolved];
  const target = delegates.get(`${delegate.namespace || scope.namespace}/${delegate.name}`);
  if (target === undefined || !isVisibleTo(target.visibility, scope.namespace)) return [];
  return mergeDelegate(resolved, target);
}

function resolveDestination(destination: Destination, scope: NameScope): Destination {
  return Object.freeze({ ...destination, host: resolveHost(destination.host, scope) });
}

function resolveRoute<T extends RouteDestination>(entry: T, scope: NameScope): T {
  return Object.freeze({ ...entry, destination: resolveDestination(entry.destination, scope) });
}

function resolveGateways<T extends Pick<L4Match, "gateways">>(match: T, namespace: string): T {
  if (match.gateways.length === 0) return match;
  return Object.freeze({ ...match, gateways: match.gateways.map((gateway) => resolveGatewayName(gateway, namespace)) });
}
