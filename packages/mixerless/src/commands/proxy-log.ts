import type { Command } from "commander";
import { CommandError } from "../mesh/command-error.ts";
import { findPilot } from "../mesh/find-pilot.ts";
import { fetchPage } from "../mesh/http.ts";
import { PilotClient } from "../mesh/pilot-client.ts";
import { findProxy } from "../mesh/proxies.ts";

/** `proxy-config log`: shows levels, and changes them while the proxy runs. */
export function addProxyLog(group: Command): void {
  group
    .command("log")
    .description("log levels of a running proxy")
    .argument("<workload>", "name, name.namespace or kind/name.namespace")
    .option("--level <levels>", "a level for all, or logger:level,…")
    .option("-r, --reset", "info for all", false)
    .option("-n, --namespace <namespace>", "namespace of the workload")
    .option("--pilot <url>", "control plane (default: the mesh that runs here)")
    .addHelpText(
      "after",
      "\nExamples:\n  mixerless proxy-config log reviews-v1\n  mixerless pc log reviews-v1 --level config:debug,wasm:trace\n  mixerless pc log reviews-v1 -r",
    )
    .action(async (workload: string, flags: LogFlags) => {
      const pilot = new PilotClient(await findPilot(flags.pilot, process.env));
      const place = await findProxy(pilot, workload, flags.namespace);
      const { status, body } = await fetchPage(`${place.admin}/logging${query(flags)}`, "POST");
      if (status !== 200) throw new CommandError(body.trim());
      process.stdout.write(`${place.key}:\n${body}`);
    });
}

interface LogFlags {
  readonly level?: string;
  readonly reset: boolean;
  readonly namespace?: string;
  readonly pilot?: string;
}

function query({ level, reset }: LogFlags): string {
  if (reset) return "?level=info";
  if (level === undefined) return "";
  return level.includes(":") ? `?paths=${encodeURIComponent(level)}` : `?level=${encodeURIComponent(level)}`;
}
