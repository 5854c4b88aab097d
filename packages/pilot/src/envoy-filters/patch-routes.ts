import { type RouteConfiguration, RouteConfigurationSchema } from "@mixerless/wire/envoy/config/route/v3/route";
import {
  type Route,
  RouteSchema,
  type VirtualHost,
  VirtualHostSchema,
} from "@mixerless/wire/envoy/config/route/v3/route_components";
import { mergeMessages } from "./merge-messages.ts";
import { fewNames, isAddition, missed, type Patch, type Patching, patchValue } from "./patch.ts";
import { missOfRoute, missOfRouteConfiguration, missOfVirtualHost } from "./route-match.ts";

/** Told which route an element is or has become; for provenance. */
export interface RouteWitness {
  touched(patch: Patch, route: Route): void;
}

const NOBODY: RouteWitness = { touched: () => {} };

/** Patches a route configuration in place [control-plane §1.7]. */
export function patchRouteConfiguration(
  patching: Patching,
  routes: RouteConfiguration,
  witness: RouteWitness = NOBODY,
): void {
  const { context, patches, log } = patching;
  const isMeant = (patch: Patch) => {
    const miss = missOfRouteConfiguration(patch, routes, context);
    if (miss !== null) log.miss(patch, miss);
    return miss === null;
  };
  const where = `routes ${routes.name}`;
  for (const patch of patches.of("ROUTE_CONFIGURATION", context)) {
    if (patch.operation !== "MERGE" || !isMeant(patch)) continue;
    const value = patchValue(patch, RouteConfigurationSchema);
    if (value !== undefined) mergeMessages(RouteConfigurationSchema, routes, value);
    log.hit(patch, where);
  }
  const ofHosts = patches.of("VIRTUAL_HOST", context).filter(isMeant);
  const ofRoutes = patches.of("HTTP_ROUTE", context).filter(isMeant);
  const removed = new Set<string>();
  routes.virtualHosts = routes.virtualHosts.map((host) => {
    const patched = patchVirtualHost(patching, host, ofHosts, where, witness);
    if (patched === null) {
      removed.add(host.name);
      return host;
    }
    patchRoutes(patching, patched, ofRoutes, where, witness);
    return patched;
  });
  for (const patch of ofHosts) {
    const value = isAddition(patch) ? patchValue(patch, VirtualHostSchema) : undefined;
    if (value === undefined) continue;
    routes.virtualHosts.push(value);
    for (const route of value.routes) witness.touched(patch, route);
    log.hit(patch, `virtual host ${value.name} of ${where}`);
  }
  routes.virtualHosts = routes.virtualHosts.filter(({ name }) => !removed.has(name));
}

/** The host as it is now; null when it is to be removed. */
function patchVirtualHost(
  { log }: Patching,
  host: VirtualHost,
  patches: readonly Patch[],
  where: string,
  witness: RouteWitness,
): VirtualHost | null {
  let current = host;
  for (const patch of patches) {
    if (isAddition(patch)) continue;
    const miss = missOfVirtualHost(patch, current, where);
    if (miss !== null) {
      log.miss(patch, miss);
      continue;
    }
    log.hit(patch, `virtual host ${current.name} of ${where}`);
    const value = patchValue(patch, VirtualHostSchema);
    if (patch.operation === "REMOVE") return null;
    if (value === undefined) continue;
    // What a patch brings comes of it.
    for (const route of value.routes) witness.touched(patch, route);
    if (patch.operation === "REPLACE") current = value;
    else if (patch.operation === "MERGE") mergeMessages(VirtualHostSchema, current, value);
  }
  return current;
}

function patchRoutes(
  { log }: Patching,
  host: VirtualHost,
  patches: readonly Patch[],
  where: string,
  witness: RouteWitness,
): void {
  const meant = patches.filter((patch) => {
    const miss = missOfVirtualHost(patch, host, where);
    if (miss !== null) log.miss(patch, miss);
    return miss === null;
  });
  if (meant.length === 0) return;
  const place = `virtual host ${host.name} of ${where}`;
  const nameOf = (route: Route) => `route ${route.name || "without a name"} of ${place}`;
  const missing = (patch: Patch) => {
    const wanted = patch.match.routeConfiguration?.vhost?.route;
    const names = host.routes.map(({ name }) => name || "(no name)");
    const action = wanted === undefined || wanted.action === "ANY" ? "" : ` with the action ${wanted.action}`;
    log.miss(
      patch,
      missed(4, () => `${place} has no route ${wanted?.name ?? ""}${action}; it has ${fewNames(names)}`),
    );
  };
  const kept = host.routes.filter((route) => {
    for (const patch of meant) {
      if (isAddition(patch) || patch.operation === "REPLACE" || missOfRoute(patch, route)) continue;
      log.hit(patch, nameOf(route));
      if (patch.operation === "REMOVE") return false;
      const value = patchValue(patch, RouteSchema);
      if (value !== undefined) mergeMessages(RouteSchema, route, value);
      witness.touched(patch, route);
    }
    return true;
  });
  for (const patch of meant) {
    if (isAddition(patch) || host.routes.some((route) => !missOfRoute(patch, route))) continue;
    missing(patch);
  }
  host.routes = kept;
  for (const patch of meant) {
    const value = isAddition(patch) ? patchValue(patch, RouteSchema) : undefined;
    if (value === undefined) continue;
    const at = placeOf(patch, host.routes);
    if (at < 0) {
      missing(patch);
      continue;
    }
    host.routes.splice(at, 0, value);
    witness.touched(patch, value);
    log.hit(patch, nameOf(value));
  }
}

/** Where a new route goes; -1: nowhere, because the route to go by is not there. */
function placeOf(patch: Patch, routes: readonly Route[]): number {
  const { operation, match } = patch;
  const first = routes.findIndex((route) => !missOfRoute(patch, route));
  const byRoute = match.routeConfiguration?.vhost?.route !== undefined;
  if (operation === "ADD") return routes.length;
  if (byRoute && first < 0) return -1;
  if (operation === "INSERT_AFTER") return byRoute ? first + 1 : routes.length;
  return byRoute && operation === "INSERT_BEFORE" ? first : 0;
}
