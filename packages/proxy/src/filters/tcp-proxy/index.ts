import type { TcpProxy } from "@mixerless/wire/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy";
import type { ConnectionExtensionFactory } from "../../extension-host/extension-host.ts";
import { type Compiled, type ConfigFault, compiledUnless } from "../../network/config-fault.ts";
import type { FilterChainContext } from "../../network/context.ts";
import type { NetworkTerminalFactory } from "../../network/network-filter.ts";
import { compileTcpProxy } from "./config.ts";
import { TcpConnection, type TcpProxyOwner } from "./filter.ts";
import { createTcpProxyStats } from "./stats.ts";

/** Compiles a TCP proxy. It is made once per filter chain. `observers` watch each connection, in order. */
export function createTcpProxyFactory(
  message: TcpProxy,
  context: FilterChainContext,
  observers: readonly ConnectionExtensionFactory[] = [],
): Compiled<NetworkTerminalFactory> {
  const faults: ConfigFault[] = [];
  const config = compileTcpProxy(message, context, faults);
  const owner: TcpProxyOwner = { context, config, stats: createTcpProxyStats(context.metrics, config.statPrefix) };
  return compiledUnless(faults, {
    create: (network, onClosed) =>
      new TcpConnection(owner, network, (info) => observers.map((observer) => observer.create(info)), onClosed),
    close: () => {
      for (const observer of observers) observer.close();
    },
  });
}
