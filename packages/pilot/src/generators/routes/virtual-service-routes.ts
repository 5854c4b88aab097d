import type { Route } from "@mixerless/wire/envoy/config/route/v3/route_components";
import type { HttpMatch } from "../../config/kinds/virtual-service.ts";
import type { ProxyNode } from "../../model/proxy-node.ts";
import type { PushContext } from "../../model/push-context.ts";
import type { ResolvedVirtualService } from "../../model/virtual-service.ts";
import { httpRoute, type RouteSurroundings } from "./http-route.ts";
import { isCatchAll } from "./route-match.ts";

/** Where a route is used: at `mesh` or at a gateway (`namespace/name`), on which port, by whom. */
export interface RouteContext {
  readonly proxy: ProxyNode;
  readonly push: PushContext;
  readonly gateways: ReadonlySet<string>;
  readonly port: number;
}

/** The routes of a VirtualService that can apply here, in order, up to the first that takes everything. */
export function virtualServiceRoutes(
  service: ResolvedVirtualService,
  context: RouteContext,
  around: RouteSurroundings,
): Route[] {
  const routes: Route[] = [];
  for (const entry of service.http) {
    const matches: (HttpMatch | undefined)[] =
      entry.match.length === 0 ? [undefined] : entry.match.filter((match) => applies(match, context));
    for (const match of matches) {
      const route = httpRoute(service.name, entry, match, around);
      routes.push(route);
      if (route.match !== undefined && isCatchAll(route.match)) return routes;
    }
  }
  return routes;
}

/** The conditions that are settled before any request: port, gateway, and who the client proxy is. */
function applies(match: HttpMatch, { proxy, push, gateways, port }: RouteContext): boolean {
  if (match.port !== undefined && match.port !== port) return false;
  // A match that names gateways speaks about them, not about sources.
  if (match.gateways.length > 0) return match.gateways.some((gateway) => gateways.has(gateway));
  if (match.sourceNamespace !== "" && match.sourceNamespace !== proxy.namespace) return false;
  const labels = push.labelsOf(proxy);
  return Object.entries(match.sourceLabels).every(([key, value]) => labels[key] === value);
}
