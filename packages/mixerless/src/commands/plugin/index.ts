import type { Command } from "commander";
import { addPluginLogs } from "./logs.ts";
import { addPluginStatus } from "./status.ts";

/** `mixerless plugin`: what has to do with Wasm plugins. */
export function addPlugin(program: Command): void {
  const group = program
    .command("plugin")
    .description("Wasm plugins: how those of a running mesh are, and what they say");
  addPluginStatus(group);
  addPluginLogs(group);
}
