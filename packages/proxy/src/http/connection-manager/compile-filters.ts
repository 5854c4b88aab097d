import type { Any } from "@bufbuild/protobuf/wkt";
import type { HttpFilter as HttpFilterConfig } from "@mixerless/wire/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager";
import { findHttpFilterType, isTerminalHttpFilter } from "../../filters/http-filter-registry.ts";
import type { ConfigFault } from "../../network/config-fault.ts";
import { configuredType } from "../../network/configured-type.ts";
import type { FilterChainContext } from "../../network/context.ts";
import type { HttpFilterFactory } from "../http-filter.ts";
import { compileDiscoveredFilter, type FilterCompiler } from "./discovered-filter.ts";
import type { ConfiguredFilter } from "./manager-config.ts";

/** Compiles `http_filters`. The last must be the router. Optional filters that are not known are left out. */
export function compileHttpFilters(
  filters: readonly HttpFilterConfig[],
  statPrefix: string,
  context: FilterChainContext,
  path: string,
  faults: ConfigFault[],
): readonly ConfiguredFilter[] {
  const compiled: ConfiguredFilter[] = [];
  for (const [i, filter] of filters.entries()) {
    const at = `${path}[${i}]`;
    const terminal = isTerminalHttpFilter(typeOf(filter));
    if (terminal !== (i === filters.length - 1)) {
      faults.push({
        path: at,
        message: terminal ? "the router must be the last filter" : "the last filter must be the router",
      });
      continue;
    }
    const found: ConfigFault[] = [];
    const factory = compileOne(filter, statPrefix, context, at, found);
    if (!(filter.isOptional && factory === null)) faults.push(...found);
    if (factory !== null) compiled.push({ name: filter.name, disabled: filter.disabled, factory });
  }
  if (filters.length === 0) faults.push({ path, message: "a router is needed" });
  return compiled;
}

function typeOf(filter: HttpFilterConfig): string {
  return filter.configType.case === "typedConfig" ? configuredType(filter.configType.value) : "";
}

function compileOne(
  filter: HttpFilterConfig,
  statPrefix: string,
  context: FilterChainContext,
  path: string,
  faults: ConfigFault[],
): HttpFilterFactory | null {
  const { name, configType } = filter;
  const compile: FilterCompiler = (config, at, found) => compileConfig(name, config, statPrefix, context, at, found);
  switch (configType.case) {
    case "typedConfig":
      return compile(configType.value, `${path}.typedConfig`, faults);
    case "configDiscovery":
      return compileDiscoveredFilter(name, configType.value, compile, context, `${path}.configDiscovery`, faults);
    default:
      faults.push({ path, message: `the filter "${name}" has no configuration; give typedConfig or configDiscovery` });
      return null;
  }
}

function compileConfig(
  filterName: string,
  config: Any,
  statPrefix: string,
  context: FilterChainContext,
  path: string,
  faults: ConfigFault[],
): HttpFilterFactory | null {
  const typeName = configuredType(config);
  const extension = context.extensions.find(typeName, filterName);
  if (extension !== null) return context.extensions.httpFilter(extension, config, context.listener, path, faults);
  const type = findHttpFilterType(typeName);
  if (type !== null) return type.compile(config, { chain: context, statPrefix, filterName }, path, faults);
  faults.push({ path, message: `the HTTP filter "${filterName}" of type ${typeName} is not supported` });
  return null;
}
