import type { PluginReport } from "@mixerless/proxy";
import { fetchJson } from "./http.ts";
import type { PilotClient } from "./pilot-client.ts";

/** A plugin at one place of one proxy. */
export interface ProxyPlugin extends PluginReport {
  /** `<name>.<namespace>`. */
  readonly proxy: string;
}

/** How the plugins are, as the proxies have told the control plane. */
export async function proxyPlugins(pilot: PilotClient, namespace: string | undefined): Promise<ProxyPlugin[]> {
  const page = await fetchJson<{ proxy: string; plugins: PluginReport[] }[]>(`${pilot.url}/debug/pluginz`);
  return page
    .filter(({ proxy }) => namespace === undefined || proxy.endsWith(`.${namespace}`))
    .flatMap(({ proxy, plugins }) => plugins.map((plugin) => ({ proxy, ...plugin })));
}
