import type { ProxyLine } from "../mesh/plugin-logs.ts";

/** By their numbers in the ABI. */
export const LINE_LEVELS = ["trace", "debug", "info", "warn", "error", "critical"];

/** `2026-11-28T08:00:00.000Z reviews-v1.default info wasm log default.probe: …`; further lines are indented. */
export function renderLine({ time, proxy, level, text }: ProxyLine): string {
  const first = `${new Date(time).toISOString()} ${proxy} ${LINE_LEVELS[level] ?? level}`;
  return `${first} ${printable(text).split("\n").join("\n    ")}\n`;
}

/** A plugin may have been fed by anybody: nothing of it is to steer a terminal. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (one) => (one === "\n" || one === "\t" ? one : "\uFFFD"));
}
