import type { PluginConfig } from "@mixerless/wasm";
import type { ModuleRequest } from "./module-source.ts";

const AGENT = "ISTIO_META_WASM_";
const OWN = "MIXERLESS_WASM_";

/** What a plugin's environment says to the proxy; the module sees none of it. */
export interface PluginOptions {
  readonly environment: ReadonlyMap<string, string>;
  /** For whoever fetches the module [control-plane §3.3]. */
  readonly fetch: Pick<ModuleRequest, "policy" | "version" | "pullSecret">;
  readonly rollback: Partial<Pick<PluginConfig, "rollback" | "rollbackAfter">>;
}

/** Takes them out of the environment. What makes no sense is as if it were not there. */
export function takePluginOptions(environment: ReadonlyMap<string, string>): PluginOptions {
  const policy = environment.get(`${AGENT}IMAGE_PULL_POLICY`) ?? "";
  return {
    environment: new Map([...environment].filter(([name]) => !name.startsWith(AGENT) && !name.startsWith(OWN))),
    fetch: {
      policy: policy === "Always" || policy === "IfNotPresent" ? policy : "",
      version: environment.get(`${AGENT}PLUGIN_RESOURCE_VERSION`) ?? "",
      pullSecret: environment.get(`${AGENT}IMAGE_PULL_SECRET`) ?? "",
    },
    rollback: rollbackOf(environment.get(`${OWN}ROLLBACK_AFTER`) ?? ""),
  };
}

function rollbackOf(text: string): PluginOptions["rollback"] {
  if (!/^\d{1,4}$/.test(text)) return {};
  const failures = Number(text);
  return failures === 0 ? { rollback: false } : { rollbackAfter: failures };
}
