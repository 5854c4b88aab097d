import type { PluginReport } from "@mixerless/proxy";
import { fetchJson } from "./http.ts";
import type { PilotClient } from "./pilot-client.ts";
import { connectedProxies } from "./proxies.ts";

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

/** The same of this moment, from the proxies themselves; those that do not answer are left out. */
export async function pluginsNow(pilot: PilotClient): Promise<ProxyPlugin[]> {
  const proxies = await connectedProxies(pilot, undefined);
  const lists = await Promise.all(
    proxies.map(async ({ key, admin }) => {
      const page = await fetchJson<{ plugins: PluginReport[] }>(`${admin}/plugins`).catch(() => ({ plugins: [] }));
      return page.plugins.map((plugin) => ({ proxy: key, ...plugin }));
    }),
  );
  return lists.flat();
}
