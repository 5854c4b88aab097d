import type { AdminAnswer } from "@mixerless/admin-server";
import { linesAnswer } from "../admin/plugin-handlers.ts";
import { mergeReports } from "../wasm/merge-reports.ts";
import type { PluginLine } from "../wasm/plugin-lines.ts";
import type { PluginReport } from "../wasm/plugin-status.ts";
import { askAll, type WorkerText } from "./ask-workers.ts";
import type { LivingWorker } from "./worker-group.ts";

/** How each plugin is, over all workers. */
export async function groupPlugins(living: () => readonly Pick<LivingWorker, "questions">[]): Promise<PluginReport[]> {
  const texts = await askAll(living(), "/plugins");
  return mergeReports(texts.flatMap((text) => (JSON.parse(text) as { plugins: PluginReport[] }).plugins));
}

/** What all workers have heard of a plugin, in the order of time; where none has, the first one's answer. */
export function mergeLines(answers: readonly WorkerText[]): AdminAnswer {
  const heard = answers.filter(({ status }) => status === 200);
  const [first] = answers;
  if (heard.length === 0) return { status: first?.status ?? 404, body: first?.text ?? "" };
  const lines = heard.flatMap(({ text }) => (JSON.parse(text) as { lines: PluginLine[] }).lines);
  return linesAnswer(lines.sort((a, b) => a.time - b.time));
}
