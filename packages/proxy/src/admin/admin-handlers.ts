import type { AdminAnswer, AdminHandler } from "@mixerless/admin-server";
import type { Clock } from "@mixerless/clock";
import type { MetricStore } from "@mixerless/metrics";
import { toJson } from "@mixerless/wire";
import type { Bootstrap } from "@mixerless/wire/envoy/config/bootstrap/v3/bootstrap";
import { NodeSchema } from "@mixerless/wire/envoy/config/core/v3/base";
import type { ConfigRegistry } from "../config/config-registry.ts";
import type { ExtensionHost } from "../extension-host/extension-host.ts";
import type { DrainRequest } from "../listener/drain-sequence.ts";
import type { ListenerManager } from "../listener/listener-manager.ts";
import type { LogLevels } from "../log-levels.ts";
import type { SecretSource } from "../tls/secret-store.ts";
import type { ActiveClusterManager } from "../upstream/active-cluster-manager.ts";
import { renderCertificates } from "./certificates-view.ts";
import { renderClustersJson, renderClustersText } from "./clusters-view.ts";
import { configSections } from "./config-dump.ts";
import { answerConfigDump } from "./config-query.ts";
import { ignoredFields } from "./ignored-fields.ts";
import { renderListenersJson, renderListenersText } from "./listeners-view.ts";
import type { ProcessStats } from "./own-stats.ts";
import { pluginHandlers } from "./plugin-handlers.ts";
import { processHandlers } from "./process-handlers.ts";
import { answerPrometheus, answerStats, type SeriesSource, type StatsFacts } from "./stats-view.ts";

/** What the admin interface shows and may set off. */
export interface AdminFacts extends StatsFacts {
  readonly clock: Clock;
  readonly bootstrap: Bootstrap;
  readonly version: string;
  /** `Clock.now()` and `Clock.monotonic()` at the start. */
  readonly startTime: number;
  readonly started: number;
  readonly metrics: MetricStore;
  readonly series: SeriesSource;
  readonly clusters: ActiveClusterManager;
  readonly listeners: ListenerManager;
  readonly registry: ConfigRegistry;
  readonly secrets: SecretSource;
  readonly plugins: Pick<ExtensionHost, "pluginReports" | "pluginLines">;
  readonly logLevels: LogLevels;
  reopenLogs(): void;
  state(): ProcessStats["state"];
  drain(request: DrainRequest): void;
  quit(): void;
}

const JSON_TYPE = "application/json";

/** Envoy's admin paths, in its shapes [telemetry §7.1]. */
export function adminHandlers(facts: AdminFacts): AdminHandler[] {
  const show = (path: string, help: string, handle: AdminHandler["handle"]): AdminHandler => ({
    path,
    help,
    mutates: false,
    handle,
  });
  const change = (path: string, help: string, handle: AdminHandler["handle"]): AdminHandler => ({
    path,
    help,
    mutates: true,
    handle,
  });
  const isDynamic = () => {
    const dynamic = facts.registry.resources("cluster").filter((one) => one.dynamic);
    const names = new Set(dynamic.map((one) => one.name));
    return (name: string) => names.has(name);
  };
  return [
    show("/ready", "whether the proxy takes traffic", () => ready(facts)),
    show("/server_info", "version, state and node", () => serverInfo(facts)),
    show("/stats", "all series (filter=<RE2>, usedonly, format=text|json|prometheus)", (query, request) =>
      answerStats(facts, facts.series, query, request.headers.accept),
    ),
    show("/stats/prometheus", "all series in the Prometheus format (filter=<RE2>, usedonly)", (query, request) => {
      return answerPrometheus(facts.series, query, request.headers.accept);
    }),
    show("/clusters", "clusters with their hosts (format=json)", (query) =>
      query.get("format") === "json"
        ? { body: renderClustersJson(facts.clusters.clusters, isDynamic()), contentType: JSON_TYPE }
        : { body: renderClustersText(facts.clusters.clusters, isDynamic()) },
    ),
    show("/listeners", "listeners with their addresses (format=json)", (query) =>
      query.get("format") === "json"
        ? { body: renderListenersJson(facts.listeners.states), contentType: JSON_TYPE }
        : { body: renderListenersText(facts.listeners.states) },
    ),
    show(
      "/config_dump",
      "configuration in use (resource=<list>, mask=<fields>, name_regex=<RE2>, include_eds)",
      (query) => answerConfigDump(configSections(facts.bootstrap, facts.registry, facts.startTime), query),
    ),
    show("/ignored_fields", "set fields of the configuration in use that are accepted and not acted on", () => ({
      body: `${JSON.stringify({ ignored_fields: ignoredFields(facts.bootstrap, facts.registry) }, null, 1)}\n`,
      contentType: JSON_TYPE,
    })),
    show("/certs", "certificates in use and when they expire; never a key", () => ({
      body: renderCertificates(facts.secrets, facts.clock.now()),
      contentType: JSON_TYPE,
    })),
    ...pluginHandlers(facts.plugins),
    ...processHandlers(facts),
    change("/drain_listeners", "stop accepting (graceful, inboundonly, skip_exit)", (query) =>
      drainListeners(facts, query),
    ),
    change("/quitquitquit", "stop the proxy", () => ({ body: "OK\n", afterwards: () => facts.quit() })),
  ];
}

function ready(facts: AdminFacts): AdminAnswer {
  const state = facts.state();
  return { status: state === "LIVE" ? 200 : 503, body: `${state}\n` };
}

/** Envoy's: at once, or with `graceful` after a drain time in which clients are asked to go elsewhere. */
function drainListeners(facts: AdminFacts, query: URLSearchParams): AdminAnswer {
  const graceful = query.has("graceful");
  const skipExit = query.has("skip_exit");
  if (skipExit && !graceful) return { status: 400, body: "skip_exit requires graceful\n" };
  facts.drain({ scope: query.has("inboundonly") ? "inbound" : "all", graceful, skipExit });
  return { body: "OK\n" };
}

function serverInfo(facts: AdminFacts): AdminAnswer {
  const uptime = `${Math.floor((facts.clock.monotonic() - facts.started) / 1000)}s`;
  const { node } = facts.bootstrap;
  const info = {
    version: facts.version,
    state: facts.state(),
    uptime_current_epoch: uptime,
    uptime_all_epochs: uptime,
    hot_restart_version: "disabled",
    ...(node === undefined ? {} : { node: toJson(NodeSchema, node, { declaredNames: true }) }),
  };
  return { body: `${JSON.stringify(info, null, 1)}\n`, contentType: JSON_TYPE };
}
