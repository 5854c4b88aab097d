import type { Any } from "@bufbuild/protobuf/wkt";
import { WasmSchema } from "@mixerless/wire/envoy/extensions/filters/http/wasm/v3/wasm";
import type { FilterStream, HttpFilterFactory } from "../../http/http-filter.ts";
import type { ConfigFault } from "../../network/config-fault.ts";
import { readPlugin } from "../../wasm/read-plugin.ts";
import { usePlugin } from "../../wasm/use-plugin.ts";
import { WasmFilter } from "../../wasm/wasm-filter.ts";
import type { HttpFilterContext, HttpFilterType } from "../http-filter-type.ts";

/** `envoy.filters.http.wasm`: a plugin that other people compiled, or one of the null VM. */
export const WASM: HttpFilterType = { typeName: WasmSchema.typeName, compile };

/** The same by the message of Istio 1.5. */
export const WASM_V2: HttpFilterType = { typeName: "envoy.config.filter.http.wasm.v2.Wasm", compile };

function compile(any: Any, context: HttpFilterContext, path: string, faults: ConfigFault[]): HttpFilterFactory | null {
  const plugin = readPlugin(any, WasmSchema, path, faults);
  if (plugin === null) return null;
  const { config, code } = plugin;
  const { extensions, listener, clusters } = context.chain;
  if (code.kind === "builtIn") {
    const extension = extensions.builtIn(code.name, config.name || context.filterName);
    if (extension === null) {
      const message = `"${code.name}" is not built into this proxy; the null VM has only its own`;
      faults.push({ path: `${path}.config.vm_config.code`, message });
      return null;
    }
    const configuration = config.configuration.toString("latin1");
    return extensions.pluginFilter(extension, configuration, listener, `${path}.config.configuration`, faults);
  }
  const place = `${listener.name}/${listener.filterChainName}/${context.filterName}`;
  const use = usePlugin(plugin, { place, listener, extensions, clusters }, path, faults);
  if (use === null) return null;
  const { scope, deployment } = use;
  return {
    create: (stream: FilterStream) => {
      const filter = new WasmFilter(stream, scope);
      const opened = deployment.openHttp(filter);
      if (opened === "bypass") return null;
      if (opened !== "fail") filter.attach(opened);
      return filter;
    },
    get starting() {
      return use.starting;
    },
    close: () => use.release(),
  };
}
