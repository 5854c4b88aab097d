import type { AdminAnswer, AdminHandler } from "@mixerless/admin-server";
import { pluginsAnswer } from "../admin/plugin-handlers.ts";
import { answerPrometheus } from "../admin/stats-view.ts";
import { askAll, askEach } from "./ask-workers.ts";
import { groupPlugins, mergeLines } from "./group-plugins.ts";
import type { GroupSeries } from "./group-series.ts";
import { statsJson, statsText, sumStats } from "./sum-stats.ts";
import { sumClustersJson, sumClustersText, sumListenersJson, sumMemory } from "./sum-views.ts";
import type { LivingWorker } from "./worker-group.ts";

export interface GroupAdminFacts {
  readonly series: GroupSeries;
  readonly living: () => readonly Pick<LivingWorker, "questions" | "link" | "state">[];
  /** Whether a worker serves. */
  readonly serving: () => boolean;
}

type Handle = AdminHandler["handle"];

const JSON_TYPE = "application/json";

/**
 * The primary's admin interface: what only workers know is asked of them. The rest, such as `/config_dump`, is about
 * the configuration, and the primary has the same.
 */
export function groupHandlers(own: readonly AdminHandler[], facts: GroupAdminFacts): AdminHandler[] {
  const replaced = replacements(facts);
  return own.map((handler) => {
    const handle = replaced.get(handler.path);
    return handle === undefined ? handler : { ...handler, handle: (query, request) => handle(handler, query, request) };
  });
}

type Replacement = (own: AdminHandler, ...rest: Parameters<Handle>) => ReturnType<Handle>;

function replacements(facts: GroupAdminFacts): Map<string, Replacement> {
  const { series, serving } = facts;
  const all = (path: string, query = "") => askAll(facts.living(), path, query);
  const prometheus: Replacement = (_own, query, request) => answerPrometheus(series, query, request.headers.accept);
  return new Map<string, Replacement>([
    ["/ready", (own, ...rest) => (serving() ? own.handle(...rest) : { status: 503, body: "PRE_INITIALIZING\n" })],
    [
      "/server_info",
      async (own, ...rest) => {
        const { body } = await own.handle(...rest);
        const info = JSON.parse(String(body)) as Record<string, unknown>;
        const workers = facts.living().map(describeWorker);
        return { body: `${JSON.stringify({ ...info, workers }, null, 1)}\n`, contentType: JSON_TYPE };
      },
    ],
    ["/stats/prometheus", prometheus],
    [
      "/stats",
      async (own, query, request) => {
        const format = query.get("format") ?? "text";
        if (format === "prometheus") return prometheus(own, query, request);
        // The primary's own answer tells what is wrong with the query; its values are all 0.
        const check = await own.handle(query, request);
        if ((check.status ?? 200) !== 200) return check;
        query.set("format", "json");
        const [workers, primary] = [await all("/stats", query.toString()), await own.handle(query, request)];
        const sums = sumStats(workers, await ofProxy(primary));
        return format === "json" ? { body: statsJson(sums), contentType: JSON_TYPE } : { body: statsText(sums) };
      },
    ],
    [
      "/clusters",
      async (_own, query) =>
        query.get("format") === "json"
          ? { body: sumClustersJson(await all("/clusters", "format=json")), contentType: JSON_TYPE }
          : { body: sumClustersText(await all("/clusters")) },
    ],
    [
      "/listeners",
      async (_own, query) => {
        if (query.get("format") !== "json") return { body: (await all("/listeners"))[0] ?? "" };
        return { body: sumListenersJson(await all("/listeners", "format=json")), contentType: JSON_TYPE };
      },
    ],
    ["/plugins", async () => pluginsAnswer(await groupPlugins(facts.living))],
    [
      "/plugin_logs",
      async (_own, query) => mergeLines(await askEach(facts.living(), "/plugin_logs", query.toString())),
    ],
    [
      "/memory",
      async (own, ...rest) => {
        const primary = await own.handle(...rest);
        return { body: sumMemory([String(primary.body), ...(await all("/memory"))]), contentType: JSON_TYPE };
      },
    ],
    [
      "/logging",
      async (own, query, request) => {
        const answer: AdminAnswer = await own.handle(query, request);
        if ((answer.status ?? 200) === 200) await all("/logging", query.toString());
        return answer;
      },
    ],
    [
      "/reset_counters",
      async (own, ...rest) => {
        await series.reset(async () => void (await all("/reset_counters")));
        return own.handle(...rest);
      },
    ],
  ]);
}

const OF_PROXY = /^(?:server|cluster_manager|listener_manager)\.|^cluster\.[^.]+\.upstream_cx_active$/;

/** Of the primary's own stats those of the proxy as a whole; the rest it does not count. */
async function ofProxy({ body }: AdminAnswer): Promise<Map<string, number>> {
  const pieces: (string | Uint8Array)[] = [];
  if (typeof body === "string") pieces.push(body);
  else for await (const piece of body) pieces.push(piece);
  const text = pieces.map((piece) => (typeof piece === "string" ? piece : Buffer.from(piece).toString())).join("");
  const { stats } = JSON.parse(text) as { stats: readonly { name?: string; value?: number }[] };
  const entries = stats.flatMap(({ name, value }) =>
    name !== undefined && value !== undefined && OF_PROXY.test(name) ? [[name, value] as const] : [],
  );
  return new Map(entries);
}

function describeWorker({ link, state }: Pick<LivingWorker, "link" | "state">) {
  const connections = state.listeners.reduce((sum, listener) => sum + listener.connections, 0);
  return { pid: link.pid, state: state.ready ? "LIVE" : "PRE_INITIALIZING", connections };
}
