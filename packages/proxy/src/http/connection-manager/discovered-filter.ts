import type { ExtensionConfigSource } from "@mixerless/wire/envoy/config/core/v3/config_source";
import { isTerminalHttpFilter } from "../../filters/http-filter-registry.ts";
import type { ConfigFault } from "../../network/config-fault.ts";
import { configuredType } from "../../network/configured-type.ts";
import type { FilterChainContext } from "../../network/context.ts";
import { compileDiscovered, type FactoryCompiler } from "../../network/discovered-factory.ts";
import { ResponseFlag } from "../../stream/response-flags.ts";
import { FilterStatus, HttpFilter, type HttpFilterFactory } from "../http-filter.ts";

/** Compiles a configuration of the filter. Null after adding faults, whose paths begin with `path`. */
export type FilterCompiler = FactoryCompiler<HttpFilterFactory>;

/** Compiles `config_discovery` of an HTTP filter. Null after adding faults. */
export function compileDiscoveredFilter(
  name: string,
  source: ExtensionConfigSource,
  compile: FilterCompiler,
  context: Pick<FilterChainContext, "clock" | "filterConfigs">,
  path: string,
  faults: ConfigFault[],
): HttpFilterFactory | null {
  const checked: FilterCompiler = (config, at, found) => {
    const type = configuredType(config);
    if (!isTerminalHttpFilter(type)) return compile(config, at, found);
    found.push({ path: at, message: `${type} ends a chain and can't be delivered apart` });
    return null;
  };
  const discovered = compileDiscovered(name, source, checked, context, path, faults);
  if (discovered === null) return null;
  return {
    create(stream) {
      const { factory } = discovered;
      return factory === null ? new MissingFilter(stream) : factory.create(stream);
    },
    get warming() {
      return discovered.warming;
    },
    get starting() {
      return discovered.starting;
    },
    close: () => discovered.close(),
  };
}

/** In place of a filter that has no configuration at all: nobody may slip through, as in Envoy. */
class MissingFilter extends HttpFilter {
  override decodeHeaders(): number {
    this.stream.sendLocalReply({
      ...{ status: 500, body: "", details: "filter_config_not_found", flags: ResponseFlag.NoFilterConfigFound },
    });
    return FilterStatus.Taken;
  }
}
