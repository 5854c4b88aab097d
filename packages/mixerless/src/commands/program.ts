import { Command } from "commander";
import { VERSION } from "../version.ts";

/** Adds a command to the program. */
type AddCommand = (program: Command) => void;

/**
 * Every command, in the order of `--help`. Each is imported when it is asked for: what the others need is not to
 * stay in the memory of a sidecar.
 */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  demo: async () => (await import("./demo.ts")).addDemo,
  pilot: async () => (await import("./pilot.ts")).addPilot,
  agent: async () => (await import("./agent.ts")).addAgent,
  run: async () => (await import("./run.ts")).addRun,
  proxy: async () => (await import("./proxy.ts")).addProxy,
  check: async () => (await import("./check.ts")).addCheck,
  console: async () => (await import("./console.ts")).addConsole,
  stat: async () => (await import("./stat.ts")).addStat,
  edges: async () => (await import("./edges.ts")).addEdges,
  "proxy-status": async () => (await import("./proxy-status.ts")).addProxyStatus,
  "proxy-config": async () => (await import("./proxy-config.ts")).addProxyConfig,
  plugin: async () => (await import("./plugin/index.ts")).addPlugin,
  authz: async () => (await import("./authz.ts")).addAuthz,
  experimental: async () => (await import("./experimental.ts")).addExperimental,
  validate: async () => (await import("./validate.ts")).addValidate,
  prometheus: async () => (await import("./prometheus.ts")).addPrometheus,
  ca: async () => (await import("./ca.ts")).addCa,
  token: async () => (await import("./token.ts")).addToken,
  secrets: async () => (await import("./secrets.ts")).addSecrets,
  sidecar: async () => (await import("./sidecar.ts")).addSidecar,
  worker: async () => (await import("./worker.ts")).addWorker,
};

/** The command line, with one command where `wanted` is its name, else with all. */
export async function createProgram(wanted: string | undefined): Promise<Command> {
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
  const one = wanted !== undefined && Object.hasOwn(COMMANDS, wanted) ? COMMANDS[wanted] : undefined;
  for (const load of one === undefined ? Object.values(COMMANDS) : [one]) (await load())(program);
  return program;
}
