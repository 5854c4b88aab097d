import type { TcpProxy } from "@mixerless/wire/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy";
import type { ConnectionExtensionFactory } from "../../extension-host/extension-host.ts";
import { type Compiled, type ConfigFault, compiledUnless } from "../../network/config-fault.ts";
import type { ConnectionGate } from "../../network/connection-gate.ts";
import type { FilterChainContext } from "../../network/context.ts";
import type { NetworkTerminalFactory } from "../../network/network-filter.ts";
import { compileTcpProxy } from "./config.ts";
import { TcpConnection, type TcpProxyOwner } from "./filter.ts";
import { createTcpProxyStats } from "./stats.ts";

/** What stands in front of a TCP proxy: `gates` may refuse a connection, `observers` watch it, each in order. */
export interface FiltersBeforeTcp {
  readonly gates: readonly ConnectionGate[];
  readonly observers: readonly ConnectionExtensionFactory[];
}

/** Compiles a TCP proxy. It is made once per filter chain. */
export function createTcpProxyFactory(
  message: TcpProxy,
  context: FilterChainContext,
  { gates, observers }: FiltersBeforeTcp = { gates: [], observers: [] },
): Compiled<NetworkTerminalFactory> {
  const faults: ConfigFault[] = [];
  const config = compileTcpProxy(message, context, faults);
  const owner: TcpProxyOwner = {
    context,
    config,
    gates,
    stats: createTcpProxyStats(context.metrics, config.statPrefix),
  };
  return compiledUnless(faults, {
    create: (network, onClosed) =>
      new TcpConnection(owner, network, (info) => observers.map((observer) => observer.create(info)), onClosed),
    close: () => {
      for (const observer of observers) observer.close();
    },
  });
}
