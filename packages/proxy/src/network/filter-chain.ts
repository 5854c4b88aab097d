import type { Any } from "@bufbuild/protobuf/wkt";
import { unpackTypedStruct } from "@mixerless/wire";
import type { Filter } from "@mixerless/wire/envoy/config/listener/v3/listener_components";
import { HttpConnectionManagerSchema } from "@mixerless/wire/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager";
import { type TcpProxy, TcpProxySchema } from "@mixerless/wire/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy";
import { createTcpProxyFactory } from "../filters/tcp-proxy/index.ts";
import { type ChainExchange, ExchangeStats } from "../filters/tcp-proxy/peer-exchange.ts";
import { createHttpConnectionManagerFactory } from "../http/connection-manager/factory.ts";
import { clusterNames } from "../http/routing/cluster-names.ts";
import { addFaults, type Compiled, type ConfigFault, compiled } from "./config-fault.ts";
import { configuredType } from "./configured-type.ts";
import type { FilterChainContext } from "./context.ts";
import { type FilteredChain, FilteredConnection } from "./filtered-connection.ts";
import { compileFiltersBefore, type FiltersBefore, typedConfigOf } from "./filters-before.ts";
import type { NetworkTerminalFactory } from "./network-filter.ts";

/** What a listener gets for the `filters` of one filter chain. */
export interface FilterChainFactory extends NetworkTerminalFactory {
  /** Route configurations that its filters take from RDS. */
  readonly routeConfigNames: readonly string[];
  /** Clusters that its configuration names itself. */
  readonly clusterNames: readonly string[];
  /** Whether the configuration of a filter is still waited for. */
  readonly warming: boolean;
  /** Whether a filter still needs a moment before it can do its work. */
  readonly starting: boolean;
}

/**
 * Compiles the `filters` of a filter chain: network filters in order, the last one being an HTTP
 * connection manager or a TCP proxy. Fault paths begin at the filter chain: `filters[0].typedConfig…`.
 */
export function createFilterChainFactory(
  filters: readonly Filter[],
  context: FilterChainContext,
): Compiled<FilterChainFactory> {
  const last = filters.length - 1;
  const terminal = filters[last];
  if (terminal === undefined) {
    return { ok: false, faults: [{ path: "filters", message: "a filter chain needs at least one filter" }] };
  }
  const faults: ConfigFault[] = [];
  const before = compileFiltersBefore(filters.slice(0, last), context, faults);
  const config = typedConfigOf(terminal);
  const factory = config === null ? null : compileTerminal(config, before, context, `filters[${last}]`, faults);
  if (config === null) faults.push({ path: `filters[${last}]`, message: `"${terminal.name}" has no typedConfig` });
  if (factory !== null && faults.length === 0) return compiled(factory);
  factory?.close();
  before.close();
  return { ok: false, faults };
}

/** A terminal filter behind those that have a say in its connections, if there are any. */
function behind(
  { filters }: FiltersBefore,
  factory: FilterChainFactory,
  exchange: ChainExchange | null,
  { clock, wheel }: FilterChainContext,
): FilterChainFactory {
  if (filters.length === 0) return factory;
  const chain: FilteredChain = { filters, exchange, clock, wheel };
  return {
    create: (network, onClosed) => new FilteredConnection(chain, network, (inner) => factory.create(inner, onClosed)),
    close: () => {
      factory.close();
      for (const filter of filters) filter.close();
    },
    get warming() {
      return factory.warming || filters.some((filter) => filter.warming);
    },
    get starting() {
      return factory.starting || filters.some((filter) => filter.starting === true);
    },
    get routeConfigNames() {
      return factory.routeConfigNames;
    },
    get clusterNames() {
      return factory.clusterNames;
    },
  };
}

function compileTerminal(
  config: Any,
  before: FiltersBefore,
  context: FilterChainContext,
  path: string,
  faults: ConfigFault[],
): FilterChainFactory | null {
  const at = `${path}.typedConfig`;
  switch (configuredType(config)) {
    case HttpConnectionManagerSchema.typeName:
      return compileHttp(config, before, context, at, faults);
    case TcpProxySchema.typeName:
      return compileTcp(config, before, context, at, faults);
    default:
      faults.push({
        path: at,
        message: `${configuredType(config)} cannot end a filter chain; use an HTTP connection manager or a TCP proxy`,
      });
      return null;
  }
}

function compileHttp(
  config: Any,
  before: FiltersBefore,
  context: FilterChainContext,
  path: string,
  faults: ConfigFault[],
): FilterChainFactory | null {
  const decoded = unpackTypedStruct(config, HttpConnectionManagerSchema);
  if (decoded.faults !== undefined) {
    addFaults(faults, path, decoded.faults);
    return null;
  }
  if (before.observers.length + before.gates.length > 0) {
    const message = "filters in front of an HTTP connection manager are not supported, other than Wasm modules";
    faults.push({ path: "filters", message });
    return null;
  }
  const manager = createHttpConnectionManagerFactory(decoded.message, context);
  if (!manager.ok) {
    addFaults(faults, path, manager.faults);
    return null;
  }
  const factory = manager.value;
  const { routeSpecifier } = decoded.message;
  const terminal: FilterChainFactory = {
    clusterNames: routeSpecifier.case === "routeConfig" ? [...new Set(clusterNames(routeSpecifier.value))] : [],
    create: (network, onClosed) => factory.create(network, onClosed),
    close: () => factory.close(),
    get warming() {
      return factory.warming;
    },
    get starting() {
      return factory.starting;
    },
    get routeConfigNames() {
      return factory.routeConfigName === null ? [] : [factory.routeConfigName];
    },
  };
  return behind(before, terminal, null, context);
}

function compileTcp(
  config: Any,
  before: FiltersBefore,
  context: FilterChainContext,
  path: string,
  faults: ConfigFault[],
): FilterChainFactory | null {
  const decoded = unpackTypedStruct(config, TcpProxySchema);
  if (decoded.faults !== undefined) {
    addFaults(faults, path, decoded.faults);
    return null;
  }
  const { exchange, gates, observers, filters } = before;
  const filtered = filters.length > 0;
  const made = createTcpProxyFactory(decoded.message, context, { gates, observers, exchange, filtered });
  if (!made.ok) {
    addFaults(faults, path, made.faults);
    return null;
  }
  const factory = made.value;
  const terminal: FilterChainFactory = {
    create: (network, onClosed) => factory.create(network, onClosed),
    close: () => factory.close(),
    warming: false,
    starting: false,
    routeConfigNames: [],
    clusterNames: tcpClusters(decoded.message),
  };
  const clients = exchange === null ? null : { frames: exchange, stats: new ExchangeStats(context.metrics) };
  return behind(before, terminal, clients, context);
}

function tcpClusters({ clusterSpecifier }: TcpProxy): string[] {
  if (clusterSpecifier.case === "cluster") return [clusterSpecifier.value];
  if (clusterSpecifier.case !== "weightedClusters") return [];
  return clusterSpecifier.value.clusters.map(({ name }) => name);
}
