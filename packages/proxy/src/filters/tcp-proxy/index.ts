import type { Any } from "@bufbuild/protobuf/wkt";
import type { TcpProxy } from "@mixerless/wire/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy";
import type { PeerFrames } from "../../extension-host/extension.ts";
import type { ConnectionExtensionFactory } from "../../extension-host/extension-host.ts";
import { type Compiled, type ConfigFault, compiledUnless } from "../../network/config-fault.ts";
import type { ConnectionGate } from "../../network/connection-gate.ts";
import type { FilterChainContext } from "../../network/context.ts";
import type { NetworkTerminalFactory } from "../../network/network-filter.ts";
import { compileTcpProxy } from "./config.ts";
import { TcpConnection, type TcpProxyOwner } from "./filter.ts";
import { ExchangeStats } from "./peer-exchange.ts";
import { createTcpProxyStats } from "./stats.ts";

/** What stands in front of a TCP proxy: `gates` may refuse a connection, `observers` watch it, each in order. */
export interface FiltersBeforeTcp {
  readonly gates: readonly ConnectionGate[];
  readonly observers: readonly ConnectionExtensionFactory[];
  readonly exchange: PeerFrames | null;
  /** Other filters stand in front, and ask clients who they are before they see their bytes. */
  readonly filtered: boolean;
}

/**
 * With whom peers' metadata are exchanged: with clients where the chain's filter says so; with servers wherever the
 * connection has agreed to it, which clusters offer by their ALPN.
 */
function exchanges(context: FilterChainContext, { exchange, filtered }: FiltersBeforeTcp, faults: ConfigFault[]) {
  const stats = new ExchangeStats(context.metrics);
  const upstream = exchange === null ? context.extensions.peerFrames(NO_CONFIG, context.listener, "", faults) : null;
  return {
    downstreamExchange: exchange === null || filtered ? null : { frames: exchange, stats },
    upstreamExchange: upstream === null ? null : { frames: upstream, stats },
  };
}

const NO_CONFIG: Any = { $typeName: "google.protobuf.Any", typeUrl: "", value: new Uint8Array() };

/** Compiles a TCP proxy. It is made once per filter chain. */
export function createTcpProxyFactory(
  message: TcpProxy,
  context: FilterChainContext,
  before: FiltersBeforeTcp,
): Compiled<NetworkTerminalFactory> {
  const faults: ConfigFault[] = [];
  const { gates, observers } = before;
  const config = compileTcpProxy(message, context, faults);
  const owner: TcpProxyOwner = {
    context,
    config,
    gates,
    ...exchanges(context, before, faults),
    stats: createTcpProxyStats(context.metrics, config.statPrefix),
  };
  if (faults.length > 0) for (const logger of config.accessLogs) logger.close();
  return compiledUnless(faults, {
    create: (network, onClosed) =>
      new TcpConnection(owner, network, (info) => observers.map((observer) => observer.create(info)), onClosed),
    close: () => {
      for (const observer of observers) observer.close();
      for (const logger of config.accessLogs) logger.close();
    },
  });
}
