import type { Any } from "@bufbuild/protobuf/wkt";
import { WasmSchema } from "@mixerless/wire/envoy/extensions/filters/network/wasm/v3/wasm";
import type { ConnectionExtensionFactory } from "../extension-host/extension-host.ts";
import type { ConfigFault } from "../network/config-fault.ts";
import type { FilterChainContext } from "../network/context.ts";
import { readPlugin } from "./read-plugin.ts";

const TYPES: readonly string[] = [WasmSchema.typeName, "envoy.config.filter.network.wasm.v2.Wasm"];

/** Whether a configuration is one of `envoy.filters.network.wasm`. */
export function isNetworkPlugin(typeName: string): boolean {
  return TYPES.includes(typeName);
}

/** `envoy.filters.network.wasm`, for plugins of the null VM. Null after adding faults. */
export function compileNetworkPlugin(
  any: Any,
  filterName: string,
  { extensions, listener }: FilterChainContext,
  path: string,
  faults: ConfigFault[],
): ConnectionExtensionFactory | null {
  const plugin = readPlugin(any, WasmSchema, path, faults);
  if (plugin === null) return null;
  const { config, code } = plugin;
  const extension = code.kind === "builtIn" ? extensions.builtIn(code.name, config.name || filterName) : null;
  if (extension === null) {
    const what =
      code.kind === "builtIn" ? `"${code.name}" is not built into this proxy` : "modules are not run on connections";
    const cure = "use the runtime envoy.wasm.runtime.null and a name that it has, such as envoy.wasm.stats";
    faults.push({ path: `${path}.config.vm_config.code`, message: `${what}; ${cure}` });
    return null;
  }
  const configuration = config.configuration.toString("latin1");
  return extensions.pluginObserver(extension, configuration, listener, `${path}.config.configuration`, faults);
}
