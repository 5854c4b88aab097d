import type { ExtensionState, ExtensionsPage } from "@mixerless/console";
import type { PilotClient } from "../mesh/pilot-client.ts";
import { proxyPlugins } from "../mesh/plugins.ts";
import { faultText, mergedPlugins } from "../view/plugin-status.ts";

/** The plugins of all proxies, as these have told the control plane. */
export async function extensionsPage(pilot: PilotClient): Promise<ExtensionsPage> {
  const plugins = mergedPlugins(await proxyPlugins(pilot, undefined));
  return {
    extensions: plugins.map((plugin): ExtensionState => {
      const { name, proxy, state, since, digest, source, calls, traps, microsecondsPerCall, memory } = plugin;
      const figures = { calls, traps, microsecondsPerCall, memory };
      return { plugin: name, proxy, state, since, digest, source, ...figures, fault: faultText(plugin) };
    }),
  };
}
