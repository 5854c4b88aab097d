import type { Filter } from "@mixerless/wire/envoy/config/listener/v3/listener_components";
import type { ConnectionExtensionFactory } from "../extension-host/extension-host.ts";
import { compileNetworkPlugin, isNetworkPlugin } from "../wasm/network-plugin.ts";
import type { ConfigFault } from "./config-fault.ts";
import { configuredType } from "./configured-type.ts";
import type { FilterChainContext } from "./context.ts";

/**
 * Compiles a network filter in front of the terminal one: an in-process extension of the table. Null where there is
 * nothing to run, faults or not.
 */
export function compileNetworkExtension(
  filter: Filter,
  context: FilterChainContext,
  path: string,
  faults: ConfigFault[],
): ConnectionExtensionFactory | null {
  if (filter.configType.case !== "typedConfig") {
    faults.push({ path, message: `the network filter "${filter.name}" has no typedConfig` });
    return null;
  }
  const config = filter.configType.value;
  const typeName = configuredType(config);
  const extension = context.extensions.find(typeName, filter.name);
  if (extension !== null) {
    return context.extensions.networkFilter(extension, config, context.listener, `${path}.typedConfig`, faults);
  }
  if (isNetworkPlugin(typeName))
    return compileNetworkPlugin(config, filter.name, context, `${path}.typedConfig`, faults);
  faults.push({ path, message: `the network filter "${filter.name}" of type ${typeName} is not supported` });
  return null;
}
