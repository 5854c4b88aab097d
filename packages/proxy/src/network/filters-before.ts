import type { Any } from "@bufbuild/protobuf/wkt";
import type { Filter } from "@mixerless/wire/envoy/config/listener/v3/listener_components";
import { type PeerFrames, TCP_EXCHANGE } from "../extension-host/extension.ts";
import type { ConnectionExtensionFactory } from "../extension-host/extension-host.ts";
import { compileNetworkRbac, NETWORK_RBAC } from "../filters/network-rbac/index.ts";
import type { ConfigFault } from "./config-fault.ts";
import { configuredType } from "./configured-type.ts";
import type { ConnectionFilterFactory } from "./connection-filter.ts";
import type { ConnectionGate } from "./connection-gate.ts";
import type { FilterChainContext } from "./context.ts";
import type { ChainStage } from "./filtered-connection.ts";
import { compileNetworkExtension } from "./network-extensions.ts";

/** The filters in front of the terminal one. */
export interface FiltersBefore {
  readonly gates: readonly ConnectionGate[];
  readonly observers: readonly ConnectionExtensionFactory[];
  readonly filters: readonly ConnectionFilterFactory[];
  /** Gates and filters in the order of the chain. */
  readonly stages: readonly ChainStage[];
  /** Downstream peers are asked who they are where they agree to it. */
  readonly exchange: PeerFrames | null;
  close(): void;
}

/** Compiles all filters but the last. Where there are faults, what it gives is to be closed. */
export function compileFiltersBefore(
  configured: readonly Filter[],
  context: FilterChainContext,
  faults: ConfigFault[],
): FiltersBefore {
  const stages: ChainStage[] = [];
  const observers: ConnectionExtensionFactory[] = [];
  let exchange: PeerFrames | null = null;
  for (const [i, filter] of configured.entries()) {
    const config = typedConfigOf(filter);
    const type = config === null ? "" : configuredType(config);
    const path = `filters[${i}]`;
    if (config !== null && type === NETWORK_RBAC) {
      const gate = compileNetworkRbac(config, context, `${path}.typedConfig`, faults);
      if (gate !== null) stages.push({ gate });
    } else if (config !== null && type === TCP_EXCHANGE) {
      exchange = context.extensions.peerFrames(config, context.listener, `${path}.typedConfig`, faults);
    } else {
      const made = compileNetworkExtension(filter, context, path, faults);
      if (made !== null && "observer" in made) observers.push(made.observer);
      else if (made !== null) stages.push(made);
    }
  }
  const gates = stages.flatMap((stage) => ("gate" in stage ? [stage.gate] : []));
  const filters = stages.flatMap((stage) => ("filter" in stage ? [stage.filter] : []));
  const close = () => {
    for (const one of [...observers, ...filters]) one.close();
  };
  return { gates, observers, filters, stages, exchange, close };
}

export function typedConfigOf(filter: Filter): Any | null {
  return filter.configType.case === "typedConfig" ? filter.configType.value : null;
}
