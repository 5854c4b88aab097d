import type { Any } from "@bufbuild/protobuf/wkt";
import type { CodeSource, EnvoyPlugin } from "@mixerless/wasm";
import { WasmSchema } from "@mixerless/wire/envoy/extensions/filters/http/wasm/v3/wasm";
import type { ExtensionHost } from "../../extension-host/extension-host.ts";
import type { FilterStream, HttpFilterFactory } from "../../http/http-filter.ts";
import type { ConfigFault } from "../../network/config-fault.ts";
import { readPlugin } from "../../wasm/read-plugin.ts";
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
  const { extensions, listener } = context.chain;
  const fault = (message: string) => {
    faults.push({ path: `${path}.config.vm_config.code`, message });
    return null;
  };
  if (code.kind === "remote" && !extensions.fetchesModules)
    return fault("remote code is not fetched by a proxy without an agent; use local.filename");
  if (code.kind !== "builtIn") return createFactory(plugin, context);
  const extension = extensions.builtIn(code.name, config.name || context.filterName);
  if (extension === null) return fault(`"${code.name}" is not built into this proxy; the null VM has only its own`);
  const configuration = config.configuration.toString("latin1");
  return extensions.pluginFilter(extension, configuration, listener, `${path}.config.configuration`, faults);
}

function createFactory({ config, code }: EnvoyPlugin, { chain, filterName }: HttpFilterContext) {
  const { listener, extensions, clusters } = chain;
  const scope = extensions.scope(config.name);
  const attributes = { info: null, listener, scope };
  const place = `${listener.name}/${listener.filterChainName}/${filterName}`;
  const use = extensions.plugins(clusters).use(place, { ...config, attributes }, located(code, extensions));
  return {
    create: (stream: FilterStream) => {
      const filter = new WasmFilter(stream, scope);
      const context = use.deployment.openHttp(filter);
      if (context === "bypass") return null;
      if (context !== "fail") filter.attach(context);
      return filter;
    },
    close: () => use.release(),
  };
}

/** Modules that the proxy brings along are found under the paths of Istio's images. */
function located(code: CodeSource, extensions: ExtensionHost): CodeSource {
  return code.kind === "file" ? { kind: "file", path: extensions.moduleFile(code.path) } : code;
}
