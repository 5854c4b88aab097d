import { type EnvoyPlugin, readEnvoyPlugin } from "@mixerless/wasm";
import { toJson } from "@mixerless/wire";
import { WasmSchema } from "@mixerless/wire/envoy/extensions/filters/http/wasm/v3/wasm";
import { PluginConfigSchema } from "@mixerless/wire/envoy/extensions/wasm/v3/wasm";
import type { FilterStream } from "../../http/http-filter.ts";
import { WasmFilter } from "../../wasm/wasm-filter.ts";
import { type HttpFilterContext, httpFilterType } from "../http-filter-type.ts";

/** `envoy.filters.http.wasm`: a plugin that other people compiled. */
export const WASM = httpFilterType(WasmSchema, (message, context, path, faults) => {
  const plugin =
    message.config === undefined ? {} : toJson(PluginConfigSchema, message.config, { declaredNames: true });
  const read = readEnvoyPlugin(plugin, process.env);
  if ("faults" in read) {
    for (const fault of read.faults) faults.push({ path: `${path}.config.${fault.path}`, message: fault.message });
    return { create: () => null };
  }
  const problem = unsupported(read, context);
  if (problem !== null) {
    faults.push({ path: `${path}.config.vm_config.code`, message: problem });
    return { create: () => null };
  }
  return createFactory(read, context);
});

function unsupported({ code }: EnvoyPlugin, { chain }: HttpFilterContext): string | null {
  if (code.kind === "remote" && !chain.extensions.fetchesModules)
    return "remote code is not fetched by a proxy without an agent; use local.filename";
  if (code.kind === "builtIn")
    return `"${code.name}" is not built into this proxy as a Wasm plugin; use its own filter`;
  return null;
}

function createFactory({ config, code }: EnvoyPlugin, { chain, filterName }: HttpFilterContext) {
  const { listener, extensions, clusters } = chain;
  const scope = extensions.scope(config.name);
  const attributes = { info: null, listener, scope };
  const place = `${listener.name}/${listener.filterChainName}/${filterName}`;
  const use = extensions.plugins(clusters).use(place, { ...config, attributes }, code);
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
