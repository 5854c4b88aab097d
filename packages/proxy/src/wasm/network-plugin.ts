import type { Any } from "@bufbuild/protobuf/wkt";
import type { EnvoyPlugin } from "@mixerless/wasm";
import { WasmSchema } from "@mixerless/wire/envoy/extensions/filters/network/wasm/v3/wasm";
import type { ConnectionExtensionFactory } from "../extension-host/extension-host.ts";
import type { ConfigFault } from "../network/config-fault.ts";
import type { ConnectionFilterFactory } from "../network/connection-filter.ts";
import type { FilterChainContext } from "../network/context.ts";
import { PluginConnection } from "./plugin-connection.ts";
import { readPlugin } from "./read-plugin.ts";
import { usePlugin } from "./use-plugin.ts";

const TYPES: readonly string[] = [WasmSchema.typeName, "envoy.config.filter.network.wasm.v2.Wasm"];

/** Whether a configuration is one of `envoy.filters.network.wasm`. */
export function isNetworkPlugin(typeName: string): boolean {
  return TYPES.includes(typeName);
}

/** What a plugin is on connections: it watches them, or has a say in them. */
type NetworkPlugin = { readonly observer: ConnectionExtensionFactory } | { readonly filter: ConnectionFilterFactory };

/** `envoy.filters.network.wasm`: a module, or a plugin of the null VM, which only watches. Null after adding faults. */
export function compileNetworkPlugin(
  any: Any,
  filterName: string,
  context: FilterChainContext,
  path: string,
  faults: ConfigFault[],
): NetworkPlugin | null {
  const plugin = readPlugin(any, WasmSchema, path, faults);
  if (plugin === null) return null;
  const { config, code } = plugin;
  const { extensions, listener } = context;
  if (code.kind !== "builtIn") return compileModule(plugin, filterName, context, path, faults);
  const extension = extensions.builtIn(code.name, config.name || filterName);
  if (extension === null) {
    const message = `"${code.name}" is not built into this proxy; use a name that it has, such as envoy.wasm.stats`;
    faults.push({ path: `${path}.config.vm_config.code`, message });
    return null;
  }
  const configuration = config.configuration.toString("latin1");
  const observer = extensions.pluginObserver(
    extension,
    configuration,
    listener,
    `${path}.config.configuration`,
    faults,
  );
  return observer === null ? null : { observer };
}

function compileModule(
  plugin: EnvoyPlugin,
  filterName: string,
  { clusters, extensions, listener }: FilterChainContext,
  path: string,
  faults: ConfigFault[],
): NetworkPlugin | null {
  const place = `${listener.name}/${listener.filterChainName}/network/${filterName}`;
  const use = usePlugin(plugin, { place, clusters, extensions, listener }, path, faults);
  if (use === null) return null;
  const { scope, deployment } = use;
  const filter: ConnectionFilterFactory = {
    create: (info, connection) => {
      const made = new PluginConnection(info, scope, connection);
      const context = deployment.openTcp(made);
      if (context === "bypass") return null;
      if (context !== "fail") made.attach(context);
      return made;
    },
    warming: false,
    get starting() {
      return use.starting;
    },
    close: () => use.release(),
  };
  return { filter };
}
