import type { Filter } from "@mixerless/wire/envoy/config/listener/v3/listener_components";
import type { Compiled } from "./config-fault.ts";
import type { FilterChainContext } from "./context.ts";
import type { NetworkTerminalFactory } from "./network-filter.ts";

/** What a listener gets for the `filters` of one filter chain. */
export interface FilterChainFactory extends NetworkTerminalFactory {
  /** Route configurations that its filters take from RDS. */
  readonly routeConfigNames: readonly string[];
}

/**
 * Compiles the `filters` of a filter chain: network filters in order, the last one being an HTTP
 * connection manager or a TCP proxy. Fault paths begin at the filter chain: `filters[0].typed_config…`.
 */
export function createFilterChainFactory(
  _filters: readonly Filter[],
  _context: FilterChainContext,
): Compiled<FilterChainFactory> {
  return { ok: false, faults: [{ path: "filters", message: "filter chains are not built yet" }] };
}
