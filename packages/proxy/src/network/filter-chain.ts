import type { Any } from "@bufbuild/protobuf/wkt";
import { unpackTypedStruct } from "@mixerless/wire";
import type { Filter } from "@mixerless/wire/envoy/config/listener/v3/listener_components";
import { HttpConnectionManagerSchema } from "@mixerless/wire/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager";
import { type TcpProxy, TcpProxySchema } from "@mixerless/wire/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy";
import { type PeerFrames, TCP_EXCHANGE } from "../extension-host/extension.ts";
import type { ConnectionExtensionFactory } from "../extension-host/extension-host.ts";
import { compileNetworkRbac, NETWORK_RBAC } from "../filters/network-rbac/index.ts";
import { createTcpProxyFactory } from "../filters/tcp-proxy/index.ts";
import { createHttpConnectionManagerFactory } from "../http/connection-manager/factory.ts";
import { clusterNames } from "../http/routing/cluster-names.ts";
import { addFaults, type Compiled, type ConfigFault, compiled } from "./config-fault.ts";
import { configuredType } from "./configured-type.ts";
import type { ConnectionGate } from "./connection-gate.ts";
import type { FilterChainContext } from "./context.ts";
import { compileNetworkExtension } from "./network-extensions.ts";
import type { NetworkTerminalFactory } from "./network-filter.ts";

/** What a listener gets for the `filters` of one filter chain. */
export interface FilterChainFactory extends NetworkTerminalFactory {
  /** Route configurations that its filters take from RDS. */
  readonly routeConfigNames: readonly string[];
  /** Clusters that its configuration names itself. */
  readonly clusterNames: readonly string[];
  /** Whether the configuration of a filter is still waited for. */
  readonly warming: boolean;
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
  const before = compileBefore(filters.slice(0, last), context, faults);
  const config = configOf(terminal);
  const factory = config === null ? null : compileTerminal(config, before, context, `filters[${last}]`, faults);
  if (config === null) faults.push({ path: `filters[${last}]`, message: `"${terminal.name}" has no typedConfig` });
  if (factory !== null && faults.length === 0) return compiled(factory);
  factory?.close();
  for (const observer of before.observers) observer.close();
  return { ok: false, faults };
}

/** The filters in front of the terminal one. */
interface FiltersBefore {
  readonly gates: readonly ConnectionGate[];
  readonly observers: readonly ConnectionExtensionFactory[];
  /** Downstream peers are asked who they are where they agree to it. */
  readonly exchange: PeerFrames | null;
}

function compileBefore(filters: readonly Filter[], context: FilterChainContext, faults: ConfigFault[]): FiltersBefore {
  const gates: ConnectionGate[] = [];
  const observers: ConnectionExtensionFactory[] = [];
  let exchange: PeerFrames | null = null;
  for (const [i, filter] of filters.entries()) {
    const config = configOf(filter);
    if (config !== null && configuredType(config) === NETWORK_RBAC) {
      const gate = compileNetworkRbac(config, context, `filters[${i}].typedConfig`, faults);
      if (gate !== null) gates.push(gate);
      continue;
    }
    if (config !== null && configuredType(config) === TCP_EXCHANGE) {
      exchange = context.extensions.peerFrames(config, context.listener, `filters[${i}].typedConfig`, faults);
      continue;
    }
    const observer = compileNetworkExtension(filter, context, `filters[${i}]`, faults);
    if (observer !== null) observers.push(observer);
  }
  return { gates, observers, exchange };
}

function configOf(filter: Filter): Any | null {
  return filter.configType.case === "typedConfig" ? filter.configType.value : null;
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
    faults.push({ path: "filters", message: "filters in front of an HTTP connection manager are not supported" });
    return null;
  }
  const manager = createHttpConnectionManagerFactory(decoded.message, context);
  if (!manager.ok) {
    addFaults(faults, path, manager.faults);
    return null;
  }
  const factory = manager.value;
  const { routeSpecifier } = decoded.message;
  return {
    clusterNames: routeSpecifier.case === "routeConfig" ? [...new Set(clusterNames(routeSpecifier.value))] : [],
    create: (network, onClosed) => factory.create(network, onClosed),
    close: () => factory.close(),
    get warming() {
      return factory.warming;
    },
    get routeConfigNames() {
      return factory.routeConfigName === null ? [] : [factory.routeConfigName];
    },
  };
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
  const made = createTcpProxyFactory(decoded.message, context, before);
  if (!made.ok) {
    addFaults(faults, path, made.faults);
    return null;
  }
  const factory = made.value;
  return {
    create: (network, onClosed) => factory.create(network, onClosed),
    close: () => factory.close(),
    warming: false,
    routeConfigNames: [],
    clusterNames: tcpClusters(decoded.message),
  };
}

function tcpClusters({ clusterSpecifier }: TcpProxy): string[] {
  if (clusterSpecifier.case === "cluster") return [clusterSpecifier.value];
  if (clusterSpecifier.case !== "weightedClusters") return [];
  return clusterSpecifier.value.clusters.map(({ name }) => name);
}
