import { SystemClock } from "@mixerless/clock";
import { type Edge, oneReporter } from "@mixerless/store";
import type { Command } from "commander";
import { findPilot } from "../mesh/find-pilot.ts";
import { observe } from "../mesh/observe.ts";
import { PilotClient } from "../mesh/pilot-client.ts";
import { GOLDEN_HEADER, golden, goldenCells } from "../view/golden.ts";
import { outputOption, print } from "../view/output.ts";
import { renderTable } from "../view/table.ts";
import { duration } from "./arguments.ts";
import { warn } from "./warn.ts";

const HEADER = ["SOURCE", "DESTINATION", "SERVICE", ...GOLDEN_HEADER];

export function addEdges(program: Command): void {
  program
    .command("edges")
    .description("who calls whom, how often and with what result, from the proxies' own series")
    .option("-n, --namespace <namespace>", "only edges that begin or end there")
    .option("-t, --time-window <time>", "how long to watch", duration, 5000)
    .option("--total", "since the proxies started, without waiting", false)
    .option("--all", "also edges without traffic in the window", false)
    .option("--pilot <url>", "control plane (default: the mesh that runs here)")
    .addOption(outputOption())
    .addHelpText(
      "after",
      `
Each edge is counted once: by its source, or by its destination where the source has no proxy (SOURCE unknown).

Examples:
  mixerless edges
  mixerless edges --total
  mixerless edges --time-window 30s -o json`,
    )
    .action(async (flags: EdgeFlags) => {
      const pilot = new PilotClient(await findPilot(flags.pilot, process.env));
      const seen = await observe(pilot, new SystemClock(), flags.total ? 0 : flags.timeWindow, warn);
      const edges = oneReporter(seen.edges)
        .filter((edge) => isWanted(edge, flags))
        .map(({ source, sourceNamespace, destination, destinationNamespace, service, reporter, ...traffic }) => ({
          ...{ source, sourceNamespace, destination, destinationNamespace, service, reporter },
          ...golden(traffic, seen.seconds),
        }));
      print(flags.output, edges, () => {
        if (edges.length === 0)
          return flags.total ? "No traffic yet.\n" : "No traffic in the window. See --total and --time-window.\n";
        const rows = edges.map((edge) => [
          qualified(edge.source, edge.sourceNamespace),
          qualified(edge.destination, edge.destinationNamespace),
          edge.service,
          ...goldenCells(edge),
        ]);
        return renderTable(HEADER, rows, 3);
      });
    });
}

interface EdgeFlags {
  readonly namespace?: string;
  readonly timeWindow: number;
  readonly total: boolean;
  readonly all: boolean;
  readonly pilot?: string;
  readonly output: string;
}

function isWanted(edge: Edge, { namespace, all }: EdgeFlags): boolean {
  if (!all && edge.requests === 0 && edge.tcpConnections === 0) return false;
  return namespace === undefined || edge.sourceNamespace === namespace || edge.destinationNamespace === namespace;
}

function qualified(workload: string, namespace: string): string {
  return namespace === "" || namespace === "unknown" ? workload : `${workload}.${namespace}`;
}
