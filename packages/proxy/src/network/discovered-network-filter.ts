import type { ExtensionConfigSource } from "@mixerless/wire/envoy/config/core/v3/config_source";
import { ResponseFlag } from "../stream/response-flags.ts";
import type { ConfigFault } from "./config-fault.ts";
import type { ConnectionFilterFactory } from "./connection-filter.ts";
import type { FilterChainContext } from "./context.ts";
import { compileDiscovered, type FactoryCompiler } from "./discovered-factory.ts";
import { gateFilter } from "./gate-filter.ts";
import { compileNetworkExtension } from "./network-extensions.ts";

/** In place of a filter that has no configuration at all: nobody may slip through. Envoy closes the connection too. */
const MISSING = gateFilter({
  refusal: (info) => {
    info.setFlag(ResponseFlag.NoFilterConfigFound);
    return "filter_config_not_found";
  },
});

/** Compiles `config_discovery` of a network filter. Null after adding faults. */
export function compileDiscoveredNetworkFilter(
  name: string,
  source: ExtensionConfigSource,
  context: FilterChainContext,
  path: string,
  faults: ConfigFault[],
): ConnectionFilterFactory | null {
  const compile: FactoryCompiler<ConnectionFilterFactory> = (config, at, found) => {
    const made = compileNetworkExtension(config, name, context, at, found);
    if (made === null) return null;
    if ("filter" in made) return made.filter;
    if ("gate" in made) return gateFilter(made.gate);
    made.observer.close();
    found.push({ path: at, message: "only modules and RBAC can be delivered apart from a chain of network filters" });
    return null;
  };
  const discovered = compileDiscovered(name, source, compile, context, path, faults);
  if (discovered === null) return null;
  return {
    create: (info, connection) => (discovered.factory ?? MISSING).create(info, connection),
    get warming() {
      return discovered.warming;
    },
    get starting() {
      return discovered.starting;
    },
    close: () => discovered.close(),
  };
}
