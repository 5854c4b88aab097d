import type { Filter } from "@mixerless/wire/envoy/config/listener/v3/listener_components";
import { compileNetworkPlugin, isNetworkPlugin, type NetworkExtension } from "../wasm/network-plugin.ts";
import type { ConfigFault } from "./config-fault.ts";
import { configuredType } from "./configured-type.ts";
import type { FilterChainContext } from "./context.ts";

/**
 * Compiles a network filter in front of the terminal one: an in-process extension of the table, or a Wasm plugin. Null
 * where there is nothing to run, faults or not.
 */
export function compileNetworkExtension(
  filter: Filter,
  context: FilterChainContext,
  path: string,
  faults: ConfigFault[],
): NetworkExtension | null {
  if (filter.configType.case !== "typedConfig") {
    faults.push({ path, message: `the network filter "${filter.name}" has no typedConfig` });
    return null;
  }
  const config = filter.configType.value;
  const typeName = configuredType(config);
  const extension = context.extensions.find(typeName, filter.name);
  if (extension !== null) {
    const at = `${path}.typedConfig`;
    const observer = context.extensions.networkFilter(extension, config, context.listener, at, faults);
    return observer === null ? null : { observer };
  }
  if (isNetworkPlugin(typeName))
    return compileNetworkPlugin(config, filter.name, context, `${path}.typedConfig`, faults);
  faults.push({ path, message: `the network filter "${filter.name}" of type ${typeName} is not supported` });
  return null;
}
