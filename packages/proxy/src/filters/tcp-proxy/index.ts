import type { TcpProxy } from "@mixerless/wire/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy";
import type { Compiled } from "../../network/config-fault.ts";
import type { FilterChainContext } from "../../network/context.ts";
import type { NetworkTerminalFactory } from "../../network/network-filter.ts";

/** Compiles a TCP proxy. It is made once per filter chain. */
export function createTcpProxyFactory(
  _config: TcpProxy,
  _context: FilterChainContext,
): Compiled<NetworkTerminalFactory> {
  return { ok: false, faults: [{ path: "", message: "the TCP proxy is not built yet" }] };
}
