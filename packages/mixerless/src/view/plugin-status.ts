import { mergeReports } from "@mixerless/proxy";
import type { ProxyPlugin } from "../mesh/plugins.ts";
import { age } from "./age.ts";

export const PLUGIN_HEADER = [
  ...["PLUGIN", "PROXY", "STATE", "SINCE", "MODULE", "CALLS", "TRAPS", "µs/CALL", "MEMORY", "LAST ERROR"],
];

/** Characters of an error in the table; all of it stands below. */
const LONGEST = 60;

/** One row for each plugin and proxy, over the places where it has it. */
export function pluginRows(plugins: readonly ProxyPlugin[], now: number): string[][] {
  return mergedPlugins(plugins).map((plugin) => [
    ...[plugin.name, plugin.proxy, plugin.state.replace("_", " "), age(now - plugin.since)],
    ...[plugin.digest.slice(0, 12) || "-", String(plugin.calls), String(plugin.traps)],
    plugin.calls === 0 ? "-" : plugin.microsecondsPerCall.toFixed(1),
    plugin.memory === 0 ? "-" : `${(plugin.memory / 1024 / 1024).toFixed(1)}Mi`,
    shortError(plugin),
  ]);
}

/** Below the table: what went wrong where one isn't at its best, with the position in the module. Each once. */
export function pluginErrors(plugins: readonly ProxyPlugin[]): string {
  const texts = mergedPlugins(plugins)
    .filter(({ state, lastError }) => state !== "running" && lastError !== null)
    .map((plugin) => `\n${plugin.name}: ${faultText(plugin)}\n`);
  return [...new Set(texts)].join("");
}

/** Each plugin of each proxy once, over the places where it has it. */
export function mergedPlugins(plugins: readonly ProxyPlugin[]): ProxyPlugin[] {
  const key = ({ name, proxy }: ProxyPlugin) => `${name}\n${proxy}`;
  return mergeReports(plugins, key).sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function shortError({ lastError }: ProxyPlugin): string {
  if (lastError === null) return "";
  const [position = ""] = lastError.backtrace;
  const where = [lastError.callback, position.split(" ")[0]].filter(Boolean).join(" ");
  const text = [where, lastError.message].filter(Boolean).join(": ").split("\n")[0] ?? "";
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** What went wrong last, with the position in the module; empty: nothing. */
export function faultText({ lastError, refusedDigest }: ProxyPlugin): string {
  if (lastError === null) return "";
  const { callback, message, backtrace } = lastError;
  const module = refusedDigest === "" ? "" : ` (module ${refusedDigest.slice(0, 12)}, taken back)`;
  const first = callback === "" ? message : `${callback} failed: ${message}`;
  return [`${first}${module}`, ...backtrace.map((frame) => `    at ${frame}`)].join("\n");
}
