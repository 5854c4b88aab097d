import { SystemClock } from "@mixerless/clock";
import type { Command } from "commander";
import { findPilot } from "../mesh/find-pilot.ts";
import { fetchJson, fetchPage } from "../mesh/http.ts";
import { PilotClient } from "../mesh/pilot-client.ts";
import { findProxy } from "../mesh/proxies.ts";
import { ConfigDump } from "../view/config-dump.ts";
import { compareConfiguration } from "../view/configuration-diff.ts";
import { type IgnoredFields, ignoredFieldsOf, ignoredLines } from "../view/ignored-fields.ts";
import { outputOption, print } from "../view/output.ts";
import {
  STATUS_HEADER,
  STATUS_HEADER_VERBOSE,
  statusErrors,
  statusRows,
  verboseStatusRows,
} from "../view/proxy-status.ts";
import { renderTable } from "../view/table.ts";
import { integer } from "./arguments.ts";

export function addProxyStatus(program: Command): void {
  program
    .command("proxy-status")
    .alias("ps")
    .description("which proxies are connected, and whether each has what it was sent")
    .argument("[workload]", "compare what one proxy has with what the control plane would send it")
    .option("-n, --namespace <namespace>", "only this one")
    .option(
      "-v, --verbosity <level>",
      "1: the state of each type, and what was refused; of one proxy: fields that it ignores",
      integer,
      0,
    )
    .option("--pilot <url>", "control plane (default: the mesh that runs here)")
    .addOption(outputOption())
    .addHelpText(
      "after",
      "\nExamples:\n  mixerless proxy-status\n  mixerless ps -v 1\n  mixerless ps reviews-v1.default\n  mixerless ps reviews-v1.default -v 1\n  mixerless ps -o json | jq '.[].proxy'",
    )
    .action(async (workload: string | undefined, flags: Flags) => {
      const pilot = new PilotClient(await findPilot(flags.pilot, process.env));
      if (workload !== undefined) return compare(pilot, workload, flags);
      const all = await fetchJson<{ proxy: string }[]>(`${pilot.url}/debug/syncz`);
      const syncz = all.filter(({ proxy }) => flags.namespace === undefined || proxy.endsWith(`.${flags.namespace}`));
      const istiod = new URL(pilot.url).host;
      print(flags.output, syncz, () => {
        if (flags.verbosity === 0) return renderTable(STATUS_HEADER, statusRows(syncz, istiod));
        const table = renderTable(STATUS_HEADER_VERBOSE, verboseStatusRows(syncz, istiod, new SystemClock().now()));
        return `${table}${statusErrors(syncz)
          .map((line) => `${line}\n`)
          .join("")}`;
      });
    });
}

interface Flags {
  readonly namespace?: string;
  readonly verbosity: number;
  readonly pilot?: string;
  readonly output: string;
}

async function compare(pilot: PilotClient, workload: string, flags: Flags): Promise<void> {
  const place = await findProxy(pilot, workload, flags.namespace);
  const [own, sent] = await Promise.all([
    fetchJson<unknown>(`${place.admin}/config_dump?include_eds`),
    fetchJson<unknown>(`${pilot.url}/debug/config_dump?proxyID=${encodeURIComponent(place.key)}`),
  ]);
  const comparison = compareConfiguration(sent, new ConfigDump(own));
  const matches = () =>
    comparison
      .map(({ kind, differences }) =>
        differences.length === 0
          ? `${kind} Match\n`
          : `${kind} Don't Match (- control plane, + proxy)\n${differences.map((line) => `  ${line}\n`).join("")}`,
      )
      .join("");
  if (flags.verbosity === 0) return print(flags.output, comparison, matches);
  const ignored = await ignoredBy(place.admin);
  print(flags.output, { comparison, ignored_fields: ignored }, () => `${matches()}${ignoredLines(ignored)}`);
}

async function ignoredBy(admin: string): Promise<IgnoredFields> {
  const { status, body } = await fetchPage(`${admin}/ignored_fields`);
  return ignoredFieldsOf(status, body);
}
