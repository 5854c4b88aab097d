import { type AdminAddress, type AdminAnswer, type AdminHandler, startAdminServer } from "@mixerless/admin-server";
import type { Clock } from "@mixerless/clock";
import { CONSOLE_FILES } from "@mixerless/console";
import { Collector, TrafficWindow } from "@mixerless/store";
import { fetchBody } from "../mesh/http.ts";
import type { PilotClient } from "../mesh/pilot-client.ts";
import { connectedProxies, type ProxyPlace } from "../mesh/proxies.ts";
import { connectedWorkloads } from "../view/stat.ts";
import { configurationPage } from "./configuration-page.ts";
import { extensionsPage } from "./extensions-page.ts";
import { pageFiles } from "./page-files.ts";
import { trafficPage } from "./traffic-page.ts";

export interface ConsoleOptions {
  readonly pilot: PilotClient;
  readonly address: AdminAddress;
  readonly clock: Clock;
}

export interface Console {
  readonly url: string;
  close(): Promise<void>;
}

/** Milliseconds between two looks at the proxies. */
const INTERVAL = 5000;
const HOUR = 3_600_000;
/** About 90 KB an edge with traffic in the whole hour. */
const MOST_EDGES = 500;

/** Serves the page and what it shows. Rejects when the address can't be bound. */
export async function runConsole({ pilot, address, clock }: ConsoleOptions): Promise<Console> {
  const window = new TrafficWindow({ rounds: HOUR / INTERVAL, edges: MOST_EDGES });
  let proxies: readonly ProxyPlace[] = [];
  const collector = new Collector({
    ...{ clock, window, interval: INTERVAL, fetch: fetchBody },
    targets: async () => {
      proxies = await connectedProxies(pilot);
      return proxies.map(({ key, admin }) => ({ name: key, url: `${admin}/stats/prometheus` }));
    },
  });
  const server = await startAdminServer(address, [
    ...(await pageFiles(CONSOLE_FILES)),
    data("/api/traffic", "traffic of the last seconds=N, one hour at most", async (query) =>
      trafficPage(secondsOf(query), window, collector, connectedWorkloads(proxies)),
    ),
    data("/api/configuration", "objects, what was refused, and what the proxies have", () =>
      configurationPage(pilot.url),
    ),
    data("/api/extensions", "Wasm plugins of every proxy", () => extensionsPage(pilot)),
  ]);
  collector.start();
  const { ip, port } = server.address;
  return {
    url: `http://${ip.includes(":") ? `[${ip}]` : ip}:${port}`,
    close: () => {
      collector.close();
      return server.close();
    },
  };
}

function data(path: string, help: string, make: (query: URLSearchParams) => Promise<unknown>): AdminHandler {
  const handle = async (query: URLSearchParams): Promise<AdminAnswer> => {
    try {
      return { body: JSON.stringify(await make(query)), contentType: "application/json" };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { status: 502, body: JSON.stringify({ error: reason }), contentType: "application/json" };
    }
  };
  return { path, help, mutates: false, handle };
}

/** Between one round and the hour that is kept; a minute if nothing sensible is asked. */
function secondsOf(query: URLSearchParams): number {
  const asked = Number(query.get("seconds") ?? 60);
  return Number.isFinite(asked) ? Math.min(Math.max(asked, INTERVAL / 1000), HOUR / 1000) : 60;
}
