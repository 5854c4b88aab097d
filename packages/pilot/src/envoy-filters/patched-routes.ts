import type { RouteConfiguration } from "@mixerless/wire/envoy/config/route/v3/route";
import type { Route } from "@mixerless/wire/envoy/config/route/v3/route_components";
import type { Generated, GeneratedElement, Provenance } from "../generators/generated.ts";
import type { Patching } from "./patch.ts";
import { patchRouteConfiguration } from "./patch-routes.ts";
import { provenanceOf, type TouchLog } from "./touch-log.ts";

/** Patches a copy of a route configuration; its routes keep where they come from, wherever they end up. */
export function patchedRoutes(
  patching: Patching,
  source: Generated<RouteConfiguration>,
  log: TouchLog,
  copy: RouteConfiguration,
): Generated<RouteConfiguration> {
  const origins = originsOf(source, copy);
  patchRouteConfiguration(patching, copy, {
    touched: (patch, route) => origins.set(route, [...(origins.get(route) ?? []), provenanceOf(patch)]),
  });
  if (!log.isTouched) return source;
  const elements = copy.virtualHosts.flatMap(({ name, routes }) =>
    routes.flatMap((route, index) =>
      (origins.get(route) ?? []).map((provenance) => ({ name: `${name}/routes[${index}]`, provenance })),
    ),
  );
  return log.patched(source, copy, elements);
}

function originsOf({ elements = [] }: Generated, copy: RouteConfiguration): Map<Route, readonly Provenance[]> {
  const known = new Map<string, GeneratedElement>(elements.map((element) => [element.name, element]));
  const origins = new Map<Route, readonly Provenance[]>();
  for (const { name, routes } of copy.virtualHosts) {
    routes.forEach((route, index) => {
      const element = known.get(`${name}/routes[${index}]`);
      if (element !== undefined) origins.set(route, [element.provenance]);
    });
  }
  return origins;
}
