import type { RouteConfiguration } from "@mixerless/wire/envoy/config/route/v3/route";
import type { Compiled } from "../../network/config-fault.ts";

/** A compiled RouteConfiguration. Immutable: an update makes another one. */
export interface RouteTable {
  readonly name: string;
}

/** Compiles a route configuration, inline or from RDS. Unknown or unsupported fields give faults with their path. */
export function compileRouteTable(_config: RouteConfiguration): Compiled<RouteTable> {
  return { ok: false, faults: [{ path: "", message: "routing is not built yet" }] };
}
