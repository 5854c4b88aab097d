import type { RouteConfiguration } from "@mixerless/wire/envoy/config/route/v3/route";
import type { Route } from "@mixerless/wire/envoy/config/route/v3/route_components";
import type { GeneratedElement, Provenance } from "../generated.ts";

/**
 * Which object, and which place in it, each route of a route configuration was made from. It stands beside the
 * message and not in it: a line that moves in a file must not be a change to any proxy.
 */
export class RouteOrigins {
  readonly #origins = new WeakMap<Route, Provenance>();

  note(route: Route, provenance: Provenance): Route {
    this.#origins.set(route, provenance);
    return route;
  }

  /** `copy` comes from where `route` does. */
  copied(route: Route, copy: Route): Route {
    const origin = this.#origins.get(route);
    return origin === undefined ? copy : this.note(copy, origin);
  }

  /** By virtual host and number of the route; routes that come of no object are left out. */
  elementsOf({ virtualHosts }: RouteConfiguration): GeneratedElement[] {
    return virtualHosts.flatMap((host) =>
      host.routes.flatMap((route, index) => {
        const provenance = this.#origins.get(route);
        return provenance === undefined ? [] : [{ name: `${host.name}/routes[${index}]`, provenance }];
      }),
    );
  }
}
