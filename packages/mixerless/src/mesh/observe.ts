import type { Clock } from "@mixerless/clock";
import { type Edge, growth, readEdges } from "@mixerless/store";
import { CommandError } from "./command-error.ts";
import { fetchBody } from "./http.ts";
import type { PilotClient } from "./pilot-client.ts";
import { connectedProxies, type ProxyPlace } from "./proxies.ts";

export interface Observation {
  readonly edges: readonly Edge[];
  /** Length of the window; null for totals. */
  readonly seconds: number | null;
  readonly proxies: readonly ProxyPlace[];
}

/** Reads the series of every proxy twice, `window` milliseconds apart; once, for totals, when it is 0. */
export async function observe(
  pilot: PilotClient,
  clock: Clock,
  window: number,
  warn: (message: string) => void,
): Promise<Observation> {
  const proxies = await connectedProxies(pilot);
  if (proxies.length === 0) {
    throw new CommandError("No proxy is connected, so nothing is measured. Join a workload with `mixerless run`.");
  }
  const first = await scrape(proxies, warn);
  if (window === 0) return { edges: [...readEdges(first).values()], seconds: null, proxies };
  const before = readEdges(first);
  const started = clock.monotonic();
  await new Promise<void>((wake) => {
    // The clock's timers don't keep a process alive.
    const alive = setInterval(() => {}, 1 << 30);
    clock.after(window, () => {
      clearInterval(alive);
      wake();
    });
  });
  const after = readEdges(await scrape(proxies, () => {}));
  return { edges: growth(before, after), seconds: (clock.monotonic() - started) / 1000, proxies };
}

async function scrape(proxies: readonly ProxyPlace[], warn: (message: string) => void): Promise<string[]> {
  const pages = await Promise.all(
    proxies.map(({ key, admin }) =>
      fetchBody(`${admin}/stats/prometheus`).catch((error: Error) => {
        warn(`${key} is left out: ${error.message}`);
        return null;
      }),
    ),
  );
  return pages.filter((page) => page !== null);
}
