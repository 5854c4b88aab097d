import { SystemClock } from "@mixerless/clock";
import type { Command } from "commander";
import { CommandError } from "../../mesh/command-error.ts";
import { findPilot } from "../../mesh/find-pilot.ts";
import { PilotClient } from "../../mesh/pilot-client.ts";
import { proxyPlugins } from "../../mesh/plugins.ts";
import { outputOption, print } from "../../view/output.ts";
import { PLUGIN_HEADER, pluginErrors, pluginRows } from "../../view/plugin-status.ts";
import { renderTable } from "../../view/table.ts";

export function addPluginStatus(group: Command): void {
  group
    .command("status")
    .description("how each plugin is in each proxy: state, version, calls, traps, time, memory, last error")
    .argument("[plugin]", "only this one: name or namespace.name of a WasmPlugin")
    .option("-n, --namespace <namespace>", "only proxies of this one")
    .option("--pilot <url>", "control plane (default: the mesh that runs here)")
    .addOption(outputOption())
    .addHelpText(
      "after",
      `
States: fetching, compiling, running; failing: its VM has trapped or has hit a limit; rolled back: the last good version
runs again, since the new one kept failing; refused: the newest version could not be fetched, compiled or started.

Examples:
  mixerless plugin status
  mixerless plugin status default.probe
  mixerless plugin status -o json`,
    )
    .action(async (plugin: string | undefined, flags: Flags) => {
      const pilot = new PilotClient(await findPilot(flags.pilot, process.env));
      const all = await proxyPlugins(pilot, flags.namespace);
      const found = all.filter(({ name }) => plugin === undefined || name === plugin || name.endsWith(`.${plugin}`));
      if (plugin !== undefined && found.length === 0) {
        const known = [...new Set(all.map(({ name }) => name))].join(", ");
        throw new CommandError(`No proxy has a plugin "${plugin}". Plugins: ${known || "none"}.`);
      }
      print(flags.output, found, () => {
        if (found.length === 0) return "No proxy has a plugin.\n";
        return renderTable(PLUGIN_HEADER, pluginRows(found, new SystemClock().now()), 3) + pluginErrors(found);
      });
    });
}

interface Flags {
  readonly namespace?: string;
  readonly pilot?: string;
  readonly output: string;
}
