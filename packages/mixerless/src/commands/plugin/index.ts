import type { Command } from "commander";
import { addPluginBuild } from "./build.ts";
import { addPluginDev } from "./dev.ts";
import { addPluginLogs } from "./logs.ts";
import { addPluginNew } from "./new.ts";
import { addPluginStatus } from "./status.ts";
import { addPluginTest } from "./test.ts";

/** `mixerless plugin`: what has to do with Wasm plugins. */
export function addPlugin(program: Command): void {
  const group = program
    .command("plugin")
    .description("Wasm plugins: write them in TypeScript, and see how those of a running mesh are and what they say");
  addPluginNew(group);
  addPluginBuild(group);
  addPluginTest(group);
  addPluginDev(group);
  addPluginStatus(group);
  addPluginLogs(group);
}
