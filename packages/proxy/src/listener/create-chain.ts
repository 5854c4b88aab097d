import type { FilterChain } from "@mixerless/wire/envoy/config/listener/v3/listener_components";
import { milliseconds } from "../http/routing/duration.ts";
import { type Compiled, type ConfigFault, compiled } from "../network/config-fault.ts";
import type { FilterChainContext } from "../network/context.ts";
import { createFilterChainFactory, type FilterChainFactory } from "../network/filter-chain.ts";
import { DownstreamTls } from "../tls/downstream-tls.ts";
import type { SecretSource } from "../tls/secret-store.ts";
import { createTlsStats } from "../tls/stats.ts";
import { compileDownstreamSocket } from "../tls/transport-socket.ts";

/** Everything of a filter chain: its transport socket and its filters. */
export interface ChainFactory extends FilterChainFactory {
  /** Null: connections stay in clear. */
  readonly tls: DownstreamTls | null;
}

/** Compiles a filter chain. Fault paths begin at it: `transportSocket…`, `filters[0]…`. Its handshakes count under `label`. */
export function createChainFactory(
  chain: FilterChain,
  context: FilterChainContext,
  secrets: SecretSource,
  label: readonly [name: string, value: string],
): Compiled<ChainFactory> {
  const faults: ConfigFault[] = [];
  const config = compileDownstreamSocket(chain.transportSocket, "transportSocket", faults);
  const filters = createFilterChainFactory(chain.filters, context);
  if (!filters.ok) return { ok: false, faults: [...faults, ...filters.faults] };
  const factory = filters.value;
  if (faults.length > 0) {
    factory.close();
    return { ok: false, faults };
  }
  const { clock, wheel, metrics } = context;
  const stats = config === null ? null : createTlsStats(metrics, "listener", label);
  const tls =
    config === null || stats === null
      ? null
      : new DownstreamTls({ config, secrets, clock, wheel, stats, ...handshakeTimeout(chain) });
  return compiled({
    tls,
    create: (network, onClosed) => factory.create(network, onClosed),
    close: () => {
      factory.close();
      tls?.close();
    },
    get warming() {
      return factory.warming;
    },
    get starting() {
      return factory.starting;
    },
    get routeConfigNames() {
      return factory.routeConfigNames;
    },
    get clusterNames() {
      return factory.clusterNames;
    },
  });
}

/** 0 is no limit to Envoy; here it is the usual one, because a handshake that never ends helps nobody. */
function handshakeTimeout({ transportSocketConnectTimeout }: FilterChain): { handshakeTimeout?: number } {
  const timeout = milliseconds(transportSocketConnectTimeout);
  return timeout === undefined || timeout === null || timeout === 0 ? {} : { handshakeTimeout: timeout };
}
