import type { Command } from "commander";
import { CommandError } from "../mesh/command-error.ts";
import { findPilot } from "../mesh/find-pilot.ts";
import { fetchJson } from "../mesh/http.ts";
import { PilotClient } from "../mesh/pilot-client.ts";
import { findProxy } from "../mesh/proxies.ts";
import { ConfigDump } from "../view/config-dump.ts";
import { describeService, describeWorkload } from "../view/describe.ts";

/** `mixerless x`, where istioctl has these commands. */
export function addExperimental(program: Command): void {
  const group = program.command("experimental").alias("x").description("further commands of istioctl");
  const describe = group
    .command("describe")
    .description("the services of a workload, and the configuration that shapes its traffic")
    .argument("[workload]", "name, name.namespace or kind/name.namespace; svc/name for a service")
    .argument("[name]", "as istioctl has it: describe pod <name>, describe service <name>")
    .option("-n, --namespace <namespace>", "namespace")
    .option("--pilot <url>", "control plane (default: the mesh that runs here)")
    .addHelpText(
      "after",
      "\nExamples:\n  mixerless x describe reviews-v1\n  mixerless x describe pod reviews-v1.default\n  mixerless x describe svc reviews",
    )
    .action(async (first: string | undefined, second: string | undefined, flags: DescribeFlags) => {
      if (first === undefined) return describe.help();
      const { kind, name } = target(first, second);
      const pilot = new PilotClient(await findPilot(flags.pilot, process.env));
      const [registry, objects] = await Promise.all([
        pilot.registry(),
        fetchJson<unknown[]>(`${pilot.url}/debug/configz`),
      ]);
      if (/^(svc|services?)$/.test(kind)) {
        const text = describeService({ registry, objects }, name, flags.namespace);
        if (text === null) throw new CommandError(`There is no service "${name}".`);
        process.stdout.write(text);
        return;
      }
      const place = await findProxy(pilot, name, flags.namespace);
      const dump = new ConfigDump(await fetchJson<unknown>(`${place.admin}/config_dump?include_eds`));
      process.stdout.write(describeWorkload({ registry, objects }, place, dump));
    });
}

interface DescribeFlags {
  readonly namespace?: string;
  readonly pilot?: string;
}

function target(first: string, second: string | undefined): { kind: string; name: string } {
  if (second !== undefined) return { kind: first, name: second };
  const slash = first.indexOf("/");
  return { kind: slash < 0 ? "pod" : first.slice(0, slash), name: first.slice(slash + 1) };
}
