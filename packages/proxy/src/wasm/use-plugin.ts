import type { CodeSource, Deployment, EnvoyPlugin } from "@mixerless/wasm";
import type { AttributeScope } from "../extension-host/attributes/attribute.ts";
import type { ExtensionHost } from "../extension-host/extension-host.ts";
import type { ConfigFault } from "../network/config-fault.ts";
import type { ListenerFacts } from "../stream/stream-info.ts";
import type { ClusterManager } from "../upstream/cluster.ts";

/** Where a plugin of a filter chain is used. */
export interface PluginPlace {
  /** Names it among all places of the proxy. */
  readonly place: string;
  readonly listener: ListenerFacts;
  readonly extensions: ExtensionHost;
  readonly clusters: ClusterManager;
}

/** A plugin that a place has taken. */
export interface PlacedPlugin {
  readonly scope: AttributeScope;
  readonly deployment: Deployment;
  /** Whether its first version is still being fetched, compiled or configured. */
  readonly starting: boolean;
  release(): void;
}

/** Takes the plugin of a module into use. Null after adding faults, whose paths begin with `path`. */
export function usePlugin(
  { config, code }: EnvoyPlugin,
  { place, listener, extensions, clusters }: PluginPlace,
  path: string,
  faults: ConfigFault[],
): PlacedPlugin | null {
  const fault = codeFault(code, extensions);
  if (fault !== null) {
    faults.push({ path: `${path}.config.vm_config.code`, message: fault });
    return null;
  }
  const scope = extensions.scope(config.name);
  const attributes = { info: null, listener, scope };
  const use = extensions.plugins(clusters).use(place, { ...config, attributes }, located(code, extensions));
  return {
    scope,
    deployment: use.deployment,
    get starting() {
      return use.starting;
    },
    release: () => use.release(),
  };
}

/** Why a module can't be had at all; null: it may be. */
export function codeFault({ kind }: CodeSource, { fetchesModules }: ExtensionHost): string | null {
  if (kind === "builtIn") return "plugins of the null VM run as filters only; use a module";
  return kind === "remote" && !fetchesModules
    ? "remote code is not fetched by a proxy without an agent; use local.filename"
    : null;
}

/** Modules that the proxy brings along are found under the paths of Istio's images. */
function located(code: CodeSource, extensions: ExtensionHost): CodeSource {
  return code.kind === "file" ? { kind: "file", path: extensions.moduleFile(code.path) } : code;
}
