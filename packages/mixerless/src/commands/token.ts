import { SystemClock } from "@mixerless/clock";
import { signJoinToken } from "@mixerless/identity";
import { AuthorityFolder } from "@mixerless/identity/authority";
import type { Command } from "commander";
import { duration } from "./arguments.ts";

const HOUR = 3_600_000;

export function addToken(program: Command): void {
  const token = program.command("token").description("tokens by which workloads prove who they are, once");
  token
    .command("create")
    .description("print a token with which one workload gets its first certificate")
    .requiredOption("--authority <folder>", "the folder of the mesh's signing authority")
    .requiredOption("--workload <name>", "name of the workload")
    .option("--namespace <name>", "namespace of the workload", "default")
    .option("--service-account <name>", "service account of the workload", "default")
    .option("--trust-domain <name>", "trust domain of the identities, as in MeshConfig", "cluster.local")
    .option("--lifetime <time>", "time in which it must be used", duration, HOUR)
    .addHelpText(
      "after",
      "\nExample:\n  (umask 077; mixerless token create --authority ./authority --workload reviews-v1 --service-account reviews > token)",
    )
    .action(async (flags: TokenFlags) => {
      const clock = new SystemClock();
      const log = (message: string) => process.stderr.write(`${message}\n`);
      const { authority: folder, trustDomain, lifetime, ...claims } = flags;
      const { joinKey } = await AuthorityFolder.open({ folder, trustDomain, clock, log });
      process.stdout.write(`${signJoinToken(joinKey, claims, clock, lifetime)}\n`);
    });
}

interface TokenFlags {
  readonly authority: string;
  readonly workload: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly trustDomain: string;
  readonly lifetime: number;
}
