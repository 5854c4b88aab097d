import type { PluginReport } from "@mixerless/proxy";
import { fetchJson } from "./http.ts";
import type { PilotClient } from "./pilot-client.ts";
import { connectedProxies } from "./proxies.ts";

/** A plugin at one place of one proxy. */
export interface ProxyPlugin extends PluginReport {
  /** `<name>.<namespace>`. */
  readonly proxy: string;
}

/** How the plugins of every connected proxy are; one that does not answer is left out with a warning. */
export async function proxyPlugins(
  pilot: PilotClient,
  namespace: string | undefined,
  warn: (message: string) => void,
): Promise<ProxyPlugin[]> {
  const proxies = await connectedProxies(pilot, namespace);
  const lists = await Promise.all(
    proxies.map(async ({ key, admin }) => {
      try {
        const { plugins } = await fetchJson<{ plugins: PluginReport[] }>(`${admin}/plugins`);
        return plugins.map((plugin) => ({ proxy: key, ...plugin }));
      } catch (error) {
        warn(`${key} is left out: ${error instanceof Error ? error.message : error}`);
        return [];
      }
    }),
  );
  return lists.flat();
}
