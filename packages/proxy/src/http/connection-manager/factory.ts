import type { HttpConnectionManager } from "@mixerless/wire/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager";
import type { Compiled, ConfigFault } from "../../network/config-fault.ts";
import type { FilterChainContext } from "../../network/context.ts";
import type { NetworkTerminalFactory } from "../../network/network-filter.ts";

export interface HttpConnectionManagerFactory extends NetworkTerminalFactory {
  /** The route configuration that this one asks a {@link RouteProvider} for; null when its routes are inline. */
  readonly routeConfigName: string | null;
  /**
   * Takes another configuration for the requests that begin from now on, also on connections that are
   * open; codec options apply to new connections only. With faults nothing has changed.
   */
  update(config: HttpConnectionManager): readonly ConfigFault[];
}

/** Compiles a connection manager. It is made once per filter chain. */
export function createHttpConnectionManagerFactory(
  _config: HttpConnectionManager,
  _context: FilterChainContext,
): Compiled<HttpConnectionManagerFactory> {
  return { ok: false, faults: [{ path: "", message: "the HTTP connection manager is not built yet" }] };
}
