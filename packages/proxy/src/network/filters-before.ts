import type { Any } from "@bufbuild/protobuf/wkt";
import type { Filter } from "@mixerless/wire/envoy/config/listener/v3/listener_components";
import { type PeerFrames, TCP_EXCHANGE } from "../extension-host/extension.ts";
import type { ConnectionExtensionFactory } from "../extension-host/extension-host.ts";
import type { ConfigFault } from "./config-fault.ts";
import { configuredType } from "./configured-type.ts";
import type { ConnectionFilterFactory } from "./connection-filter.ts";
import type { ConnectionGate } from "./connection-gate.ts";
import type { FilterChainContext } from "./context.ts";
import { compileDiscoveredNetworkFilter } from "./discovered-network-filter.ts";
import { gateFilter } from "./gate-filter.ts";
import { compileNetworkExtension, type NetworkExtension } from "./network-extensions.ts";

/** The filters in front of the terminal one. */
export interface FiltersBefore {
  /** Empty where `filters` has them. */
  readonly gates: readonly ConnectionGate[];
  readonly observers: readonly ConnectionExtensionFactory[];
  /** Filters with a say in connections, and the gates among them, in the order of the chain. */
  readonly filters: readonly ConnectionFilterFactory[];
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
  const made: NetworkExtension[] = [];
  let exchange: PeerFrames | null = null;
  for (const [i, filter] of configured.entries()) {
    const config = typedConfigOf(filter);
    if (config !== null && configuredType(config) === TCP_EXCHANGE) {
      exchange = context.extensions.peerFrames(config, context.listener, `filters[${i}].typedConfig`, faults);
      continue;
    }
    const one = compileOne(filter, context, `filters[${i}]`, faults);
    if (one !== null) made.push(one);
  }
  const filtered = made.some((one) => "filter" in one);
  const gates = made.flatMap((one) => ("gate" in one ? [one.gate] : []));
  const observers = made.flatMap((one) => ("observer" in one ? [one.observer] : []));
  const filters = made.flatMap((one) => {
    if ("filter" in one) return [one.filter];
    return "gate" in one ? [gateFilter(one.gate)] : [];
  });
  const close = () => {
    for (const one of [...observers, ...filters]) one.close();
  };
  return { gates: filtered ? [] : gates, observers, filters: filtered ? filters : [], exchange, close };
}

function compileOne(
  { name, configType }: Filter,
  context: FilterChainContext,
  path: string,
  faults: ConfigFault[],
): NetworkExtension | null {
  switch (configType.case) {
    case "typedConfig":
      return compileNetworkExtension(configType.value, name, context, `${path}.typedConfig`, faults);
    case "configDiscovery": {
      const at = `${path}.configDiscovery`;
      const filter = compileDiscoveredNetworkFilter(name, configType.value, context, at, faults);
      return filter === null ? null : { filter };
    }
    default:
      faults.push({ path, message: `the network filter "${name}" has no typedConfig and no configDiscovery` });
      return null;
  }
}

export function typedConfigOf(filter: Filter): Any | null {
  return filter.configType.case === "typedConfig" ? filter.configType.value : null;
}
