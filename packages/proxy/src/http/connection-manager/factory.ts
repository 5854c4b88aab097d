import type { HttpConnectionManager } from "@mixerless/wire/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager";
import { type Compiled, type ConfigFault, compiled } from "../../network/config-fault.ts";
import type { FilterChainContext } from "../../network/context.ts";
import type { NetworkContext, NetworkTerminal, NetworkTerminalFactory } from "../../network/network-filter.ts";
import { closeParts, compileManager } from "./compile-manager.ts";
import { type ConnectionOwner, HttpConnection } from "./http-connection.ts";
import type { ManagerConfig } from "./manager-config.ts";
import { DateHeader } from "./response-headers.ts";
import { createHttpConnectionManagerStats, type HttpConnectionManagerStats } from "./stats.ts";

export interface HttpConnectionManagerFactory extends NetworkTerminalFactory {
  /** The route configuration that this one asks a RouteProvider for; null when its routes are inline. */
  readonly routeConfigName: string | null;
  /** Whether a filter's configuration is still waited for. */
  readonly warming: boolean;
  /** Whether a filter still needs a moment before it can do its work. */
  readonly starting: boolean;
  /**
   * Takes another configuration for the requests that begin from now on, also on connections that are
   * open; codec options apply to new connections only. With faults nothing has changed.
   */
  update(config: HttpConnectionManager): readonly ConfigFault[];
}

/** Compiles a connection manager. It is made once per filter chain. */
export function createHttpConnectionManagerFactory(
  config: HttpConnectionManager,
  context: FilterChainContext,
): Compiled<HttpConnectionManagerFactory> {
  const manager = compileManager(config, context);
  return manager.ok ? compiled(new Factory(manager.value, context)) : manager;
}

class Factory implements HttpConnectionManagerFactory, ConnectionOwner {
  readonly context: FilterChainContext;
  readonly date: DateHeader;
  config: ManagerConfig;
  stats: HttpConnectionManagerStats;

  constructor(config: ManagerConfig, context: FilterChainContext) {
    this.config = config;
    this.context = context;
    this.date = new DateHeader(context.clock);
    this.stats = createHttpConnectionManagerStats(context.metrics, config.statPrefix);
  }

  get routeConfigName(): string | null {
    return "rds" in this.config.routes ? this.config.routes.rds : null;
  }

  get warming(): boolean {
    return this.config.filters.some(({ factory }) => factory.warming === true);
  }

  get starting(): boolean {
    return this.config.filters.some(({ factory }) => factory.starting === true);
  }

  create(network: NetworkContext, onClosed: () => void): NetworkTerminal {
    return new HttpConnection(this, network, onClosed);
  }

  update(message: HttpConnectionManager): readonly ConfigFault[] {
    const manager = compileManager(message, this.context);
    if (!manager.ok) return manager.faults;
    closeParts(this.config);
    if (manager.value.statPrefix !== this.config.statPrefix) {
      this.stats = createHttpConnectionManagerStats(this.context.metrics, manager.value.statPrefix);
    }
    this.config = manager.value;
    return [];
  }

  close(): void {
    closeParts(this.config);
  }
}
