import { setTimeout as pause } from "node:timers/promises";
import { type Command, Option } from "commander";
import { findPilot } from "../../mesh/find-pilot.ts";
import { PilotClient } from "../../mesh/pilot-client.ts";
import { PluginLogReader } from "../../mesh/plugin-logs.ts";
import { connectedProxies, findProxy } from "../../mesh/proxies.ts";
import { LINE_LEVELS, renderLine } from "../../view/plugin-line.ts";
import { warn } from "../warn.ts";

/** Milliseconds between two looks with `-f`. */
const INTERVAL = 1000;

export function addPluginLogs(group: Command): void {
  group
    .command("logs")
    .description("what a plugin has said lately, and what was said about it, in every proxy that has it")
    .argument("<plugin>", "namespace.name of a WasmPlugin, or the name in the filter's configuration")
    .option("--proxy <workload>", "only of this one: name, name.namespace or kind/name.namespace")
    .option("-n, --namespace <namespace>", "only proxies of this one")
    .option("-f, --follow", "go on until interrupted", false)
    .addOption(new Option("--level <level>", "nothing below").choices(LINE_LEVELS).default("trace"))
    .option("--pilot <url>", "control plane (default: the mesh that runs here)")
    .addHelpText(
      "after",
      `
Each proxy keeps the last 200 lines of a plugin, at most 64 KiB, of all levels, whatever its own log shows.

Examples:
  mixerless plugin logs default.probe
  mixerless plugin logs default.probe --proxy reviews-v1 --level warn -f`,
    )
    .action(async (plugin: string, flags: Flags) => {
      const pilot = new PilotClient(await findPilot(flags.pilot, process.env));
      const proxies =
        flags.proxy === undefined
          ? await connectedProxies(pilot, flags.namespace)
          : [await findProxy(pilot, flags.proxy, flags.namespace)];
      const reader = new PluginLogReader(plugin, proxies);
      for (;;) {
        const { lines, problems } = await reader.next();
        for (const problem of problems) warn(problem);
        const lowest = LINE_LEVELS.indexOf(flags.level);
        process.stdout.write(
          lines
            .filter(({ level }) => level >= lowest)
            .map(renderLine)
            .join(""),
        );
        if (!flags.follow) return;
        await pause(INTERVAL);
      }
    });
}

interface Flags {
  readonly proxy?: string;
  readonly namespace?: string;
  readonly follow: boolean;
  readonly level: string;
  readonly pilot?: string;
}
