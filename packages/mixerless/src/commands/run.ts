import { basename } from "node:path";
import { SystemClock } from "@mixerless/clock";
import { type Command, InvalidArgumentError, Option } from "commander";
import { CommandError } from "../mesh/command-error.ts";
import { findPilot } from "../mesh/find-pilot.ts";
import { endLike } from "../run/child-program.ts";
import { type RunOptions, runWorkload } from "../run/run-workload.ts";
import { DEFAULT_PORT } from "../run/service-calls.ts";
import { ISTIO_VERSION } from "../version.ts";
import { collect, port } from "./arguments.ts";
import { label } from "./labels.ts";

export function addRun(program: Command): void {
  program
    .command("run")
    .description("run a program as a workload of the mesh, with a sidecar beside it; no root needed")
    .passThroughOptions()
    .usage("[options] -- program [arguments…]")
    .argument("<program...>", "what to run; it finds its port in PORT")
    .option("--name <service>", "name of the service (default: that of the program)", name)
    .option("--namespace <namespace>", "namespace", name, "default")
    .option("--version <version>", "version of the workload, which is called <name>-<version>", name, "v1")
    .option("--port <port>", "port of the service, as callers see it", port, DEFAULT_PORT)
    .addOption(
      new Option("--protocol <protocol>", "what the service speaks")
        .choices(["http", "http2", "grpc", "tcp"])
        .default("http"),
    )
    .option("--app-port <port>", "where the program listens on 127.0.0.1, if it does not read PORT", port)
    .option("--app-metrics <port[:path],...>", "where the program has series, for the merged ones of its sidecar")
    .option(
      "--calls <service>",
      "a service it calls, name[.namespace][:port], there or to come; repeatable (default: all in its namespace)",
      collect,
      [],
    )
    .option("--label <key=value>", "a further label; repeatable", label, {})
    .option("--service-account <name>", "service account (default: the name of the service)", name)
    .option("--pilot <url>", "control plane (default: the mesh that runs here)")
    .addOption(
      new Option("--loopback <kind>", "an address for each workload, or 127.0.0.1 for all")
        .choices(["auto", "many", "single"])
        .default("auto"),
    )
    .addOption(
      new Option("--telemetry <mode>", "Istio's metrics as the control plane has it, or none for this workload")
        .choices(["native", "none"])
        .default("native"),
    )
    .option("--istio-version <version>", "ISTIO_VERSION of the proxy", ISTIO_VERSION)
    .option("--quiet", "say nothing but errors", false)
    .addHelpText(
      "after",
      `
The program gets PORT, and <SERVICE>_SERVICE_HOST and <SERVICE>_SERVICE_PORT of each service that it may call.
Its input, output and signals are its own; this command ends as the program ends. Before that it ends with
125 when it cannot join, 126 when the program cannot be run, 127 when there is no such program.

Examples:
  mixerless run --name shop -- node shop.js
  mixerless run --name shop --version v2 --calls stock --calls prices:9090 -- node shop.js
  mixerless run --name shop --app-port 3000 --app-metrics 3000:/metrics -- node shop.js
  mixerless run --name files --app-port 8000 -- python3 -m http.server 8000 --bind 127.0.0.1`,
    )
    .action(async (command: string[], flags: RunFlags) => {
      const { quiet, label: labels, ...rest } = flags;
      const chosen = flags.name ?? defaultName(command);
      const options: RunOptions = {
        ...rest,
        name: chosen,
        labels,
        appPort: flags.appPort ?? null,
        appMetrics: flags.appMetrics ?? null,
        serviceAccount: flags.serviceAccount ?? chosen,
        pilot: await findPilot(flags.pilot, process.env),
        command,
        clock: new SystemClock(),
        log: (message) => {
          if (!quiet) process.stderr.write(`mixerless: ${message}\n`);
        },
      };
      let end: Awaited<ReturnType<typeof runWorkload>>;
      try {
        end = await runWorkload(options);
      } catch (error) {
        if (error instanceof CommandError && error.exitCode !== 1) throw error;
        throw new CommandError(error instanceof Error ? error.message : String(error), 125);
      }
      endLike(end);
    });
}

interface RunFlags extends Omit<RunOptions, "name" | "appPort" | "appMetrics" | "serviceAccount" | "pilot" | "labels"> {
  readonly name?: string;
  readonly appPort?: number;
  readonly appMetrics?: string;
  readonly serviceAccount?: string;
  readonly pilot?: string;
  readonly label: Readonly<Record<string, string>>;
  readonly quiet: boolean;
}

/** `shop` of `node shop.js` and of `./bin/shop --flag`. */
function defaultName(command: readonly string[]): string {
  const script = /^(node|python[\d.]*|ruby|deno|bun|tsx|sh|bash)$/.test(basename(command[0] ?? ""))
    ? command.slice(1).find((argument) => !argument.startsWith("-"))
    : command[0];
  const text = basename(script ?? "")
    .replace(/\.[a-z]+$/i, "")
    .toLowerCase();
  if (!NAME.test(text)) throw new CommandError("The program's file name is no name for a service. Give --name.", 2);
  return text;
}

const NAME = /^[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?$/;

function name(text: string): string {
  if (!NAME.test(text)) throw new InvalidArgumentError('Give lower-case letters, digits and "-", at most 42.');
  return text;
}
