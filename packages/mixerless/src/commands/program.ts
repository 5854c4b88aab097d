import { Command } from "commander";
import { VERSION } from "../version.ts";
import { addAgent } from "./agent.ts";
import { addAuthz } from "./authz.ts";
import { addCheck } from "./check.ts";
import { addDemo } from "./demo.ts";
import { addEdges } from "./edges.ts";
import { addExperimental } from "./experimental.ts";
import { addPilot } from "./pilot.ts";
import { addPrometheus } from "./prometheus.ts";
import { addProxy } from "./proxy.ts";
import { addProxyConfig } from "./proxy-config.ts";
import { addProxyStatus } from "./proxy-status.ts";
import { addRun } from "./run.ts";
import { addSidecar } from "./sidecar.ts";
import { addStat } from "./stat.ts";
import { addToken } from "./token.ts";
import { addValidate } from "./validate.ts";
import { addWorker } from "./worker.ts";

/** Every command, in the order of `--help`. */
const COMMANDS: readonly ((program: Command) => void)[] = [
  addDemo,
  addPilot,
  addAgent,
  addRun,
  addProxy,
  addCheck,
  addStat,
  addEdges,
  addProxyStatus,
  addProxyConfig,
  addAuthz,
  addExperimental,
  addValidate,
  addPrometheus,
  addToken,
  addSidecar,
  addWorker,
];

/** The command line. */
export function createProgram(): Command {
  const program = new Command("mixerless")
    .description("A service mesh whose sidecars measure and authorise traffic themselves.")
    .version(VERSION);
  // So that `run` leaves the flags of the program that it runs alone.
  program.enablePositionalOptions();
  program.configureOutput({ outputError: (text, write) => write(`${text}Try --help.\n`) });
  program.exitOverride((error) =>
    process.exit(
      error.code === "commander.helpDisplayed" || error.code === "commander.version" || error.code === "commander.help"
        ? 0
        : 2,
    ),
  );
  for (const add of COMMANDS) add(program);
  return program;
}
