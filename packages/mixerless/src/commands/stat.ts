import { SystemClock } from "@mixerless/clock";
import type { Command } from "commander";
import { CommandError } from "../mesh/command-error.ts";
import { findPilot } from "../mesh/find-pilot.ts";
import { observe } from "../mesh/observe.ts";
import { PilotClient } from "../mesh/pilot-client.ts";
import { outputOption, print } from "../view/output.ts";
import { STAT_HEADER, statCells, workloadStats } from "../view/stat.ts";
import { renderTable } from "../view/table.ts";
import { duration } from "./arguments.ts";
import { warn } from "./warn.ts";

export function addStat(program: Command): void {
  program
    .command("stat")
    .description("success rate, requests a second and latency of each workload, from the proxies' own series")
    .argument("[workload]", "only this one: name, name.namespace or kind/name.namespace")
    .option("-n, --namespace <namespace>", "only this one")
    .option("-t, --time-window <time>", "how long to watch", duration, 5000)
    .option("--total", "since the proxies started, without waiting", false)
    .option("--pilot <url>", "control plane (default: the mesh that runs here)")
    .addOption(outputOption())
    .addHelpText(
      "after",
      `
Counts what each workload received, as its own proxy reports it; a gateway, which nobody reports on, by what it passed
on. Failures are answers 5xx, no answer, and gRPC statuses other than OK.

Examples:
  mixerless stat
  mixerless stat reviews-v1 --time-window 30s
  mixerless stat --total -o json`,
    )
    .action(async (workload: string | undefined, flags: StatFlags) => {
      const pilot = new PilotClient(await findPilot(flags.pilot, process.env));
      const seen = await observe(pilot, new SystemClock(), flags.total ? 0 : flags.timeWindow, warn);
      const stats = workloadStats(seen, flags.namespace).filter(({ name, namespace }) =>
        isWanted(workload, name, namespace),
      );
      if (workload !== undefined && stats.length === 0)
        throw new CommandError(`No workload "${workload}" is connected.`);
      print(flags.output, stats, () => renderTable(STAT_HEADER, stats.map(statCells), 3));
    });
}

interface StatFlags {
  readonly namespace?: string;
  readonly timeWindow: number;
  readonly total: boolean;
  readonly pilot?: string;
  readonly output: string;
}

function isWanted(wanted: string | undefined, name: string, namespace: string): boolean {
  const text = wanted?.replace(/^[a-z]+\//i, "");
  return text === undefined || text === name || text === `${name}.${namespace}`;
}
