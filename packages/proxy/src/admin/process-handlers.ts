import type { AdminAnswer, AdminHandler } from "@mixerless/admin-server";
import type { Bootstrap } from "@mixerless/wire/envoy/config/bootstrap/v3/bootstrap";
import type { LogLevels } from "../log-levels.ts";
import type { StatsFacts } from "./stats-view.ts";

export interface ProcessFacts extends StatsFacts {
  readonly bootstrap: Bootstrap;
  readonly logLevels: LogLevels;
  reopenLogs(): void;
}

const JSON_TYPE = "application/json";

/** What is about the process rather than about its configuration. */
export function processHandlers(facts: ProcessFacts): AdminHandler[] {
  const show = (path: string, help: string, body: () => string, contentType = JSON_TYPE): AdminHandler => ({
    path,
    help,
    mutates: false,
    handle: () => ({ body: body(), contentType }),
  });
  const change = (path: string, help: string, handle: (query: URLSearchParams) => AdminAnswer): AdminHandler => ({
    path,
    help,
    mutates: true,
    handle,
  });
  return [
    show("/memory", "memory of the process", memory),
    show("/runtime", "runtime layers; no key has another value than its default", () => runtime(facts.bootstrap)),
    show("/hot_restart_version", "hot restart is not done", () => "disabled\n", "text/plain; charset=UTF-8"),
    change("/logging", "show or change log levels (level=, <logger>=, paths=<logger>:<level>,...)", (query) =>
      logging(facts.logLevels, query),
    ),
    change("/reset_counters", "set all counters to 0", () => {
      resetCounters(facts);
      return { body: "OK\n" };
    }),
    change("/reopen_logs", "let access logs go on in newly opened files, after a rotation", () => {
      facts.reopenLogs();
      return { body: "OK\n" };
    }),
  ];
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}

/** `envoy.admin.v3.Memory`; 64-bit numbers are strings in JSON. */
function memory(): string {
  const { heapTotal, heapUsed, external, rss } = process.memoryUsage();
  return json({
    allocated: String(heapUsed + external),
    heap_size: String(heapTotal + external),
    pageheap_unmapped: "0",
    pageheap_free: String(heapTotal - heapUsed),
    total_thread_cache: "0",
    total_physical_bytes: String(rss),
  });
}

function runtime(bootstrap: Bootstrap): string {
  return json({ layers: bootstrap.layeredRuntime?.layers.map((layer) => layer.name) ?? [], entries: {} });
}

function logging(levels: LogLevels, query: URLSearchParams): AdminAnswer {
  for (const [key, value] of query) {
    const wishes = key === "paths" ? value.split(",").map((path) => path.split(":")) : [[key, value]];
    for (const [name = "", level = ""] of wishes) {
      const fault = levels.set(name === "level" ? null : name, level);
      if (fault !== null) return { status: 400, body: `error: ${fault}\n` };
    }
  }
  return { body: `active loggers:\n${levels.list()}` };
}

/** Gauges tell how things are and stay. */
function resetCounters({ metrics, clusters, listeners }: StatsFacts): void {
  metrics.resetCounters();
  for (const { stats } of clusters.clusters) {
    const values: Record<string, number> = Object.fromEntries(Object.keys(stats).map((name) => [name, 0]));
    for (const name of Object.keys(values)) if (name.endsWith("_active")) delete values[name];
    Object.assign(stats, values);
  }
  for (const { stats } of listeners.states)
    Object.assign(stats, { downstreamCxTotal: 0, noFilterChainMatch: 0, preCxTimeout: 0, preCxOverflow: 0 });
}
