import type { Command } from "commander";
import { addPluginBuild } from "./build.ts";
import { addPluginNew } from "./new.ts";
import { addPluginTest } from "./test.ts";

/** `mixerless plugin`, a family of commands. */
export function addPlugin(program: Command): void {
  const plugin = program.command("plugin").description("write plugins in TypeScript and run them in proxies");
  addPluginNew(plugin);
  addPluginBuild(plugin);
  addPluginTest(plugin);
}
