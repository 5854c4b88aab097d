import type { Any } from "@bufbuild/protobuf/wkt";
import type { ConnectionExtensionFactory } from "../extension-host/extension-host.ts";
import { compileNetworkRbac, NETWORK_RBAC } from "../filters/network-rbac/index.ts";
import { compileNetworkPlugin, isNetworkPlugin } from "../wasm/network-plugin.ts";
import type { ConfigFault } from "./config-fault.ts";
import { configuredType } from "./configured-type.ts";
import type { ConnectionFilterFactory } from "./connection-filter.ts";
import type { ConnectionGate } from "./connection-gate.ts";
import type { FilterChainContext } from "./context.ts";

/** What a network filter in front of the terminal one is. */
export type NetworkExtension =
  /** It may refuse a connection at its beginning. */
  | { readonly gate: ConnectionGate }
  /** It watches. */
  | { readonly observer: ConnectionExtensionFactory }
  /** It holds, changes and ends. */
  | { readonly filter: ConnectionFilterFactory };

/**
 * Compiles a network filter in front of the terminal one: RBAC, an in-process extension of the table, or a Wasm plugin.
 * Null where there is nothing to run, faults or not; their paths begin with that of the configuration.
 */
export function compileNetworkExtension(
  config: Any,
  name: string,
  context: FilterChainContext,
  path: string,
  faults: ConfigFault[],
): NetworkExtension | null {
  const typeName = configuredType(config);
  if (typeName === NETWORK_RBAC) {
    const gate = compileNetworkRbac(config, context, path, faults);
    return gate === null ? null : { gate };
  }
  const extension = context.extensions.find(typeName, name);
  if (extension !== null) {
    const observer = context.extensions.networkFilter(extension, config, context.listener, path, faults);
    return observer === null ? null : { observer };
  }
  if (isNetworkPlugin(typeName)) return compileNetworkPlugin(config, name, context, path, faults);
  faults.push({ path, message: `the network filter "${name}" of type ${typeName} is not supported` });
  return null;
}
