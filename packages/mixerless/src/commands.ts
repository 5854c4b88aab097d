import { runAgent } from "@mixerless/agent";
import { SystemClock } from "@mixerless/clock";
import { runPilot, type TelemetryMode } from "@mixerless/pilot";
import { Command, InvalidArgumentError, Option } from "commander";
import { reportReady, stopOnRequest } from "./child-process.ts";
import type { ReviewsChoice } from "./demo/mesh-files.ts";
import type { SidecarSettings } from "./demo/processes.ts";
import { runDemo } from "./demo/run-demo.ts";

const VERSION = "0.1.0";
const ISTIO_VERSION = "1.30.3";
const STOP_LIMIT = 5000;

/** The command line. */
export function createProgram(): Command {
  const program = new Command("mixerless")
    .description("A service mesh whose sidecars measure and authorise traffic themselves.")
    .version(VERSION);
  program.configureOutput({ outputError: (text, write) => write(`${text}Try --help.\n`) });
  program.exitOverride((error) =>
    process.exit(
      error.code === "commander.helpDisplayed" || error.code === "commander.version" || error.code === "commander.help"
        ? 0
        : 2,
    ),
  );
  addDemo(program);
  addPilot(program);
  addSidecar(program);
  return program;
}

function addDemo(program: Command): void {
  program
    .command("demo")
    .description("run Bookinfo with a sidecar beside each workload, on loopback addresses")
    .option("--no-traffic", "send no requests")
    .option("--rate <n>", "page views a second", positive, 5)
    .option("--seed <n>", "makes the jitter of the traffic reproducible", integer, 1)
    .option("--duration <time>", "end after this time, for example 30s or 5m", duration)
    .option("--config <path>", "more Istio YAML on top, a folder or a file, watched; repeatable", collect, [])
    .addOption(
      new Option("--reviews <version>", "which version of reviews serves")
        .choices(["v1", "v2", "v3", "all"])
        .default("all"),
    )
    .addOption(
      new Option("--loopback <kind>", "an address for each workload, or one for all")
        .choices(["many", "single"])
        .default("many"),
    )
    .option("--istio-version <version>", "ISTIO_VERSION of the proxies", ISTIO_VERSION)
    .option("--json", "print one line of JSON when everything is ready", false)
    .addHelpText(
      "after",
      "\nExamples:\n  mixerless demo\n  mixerless demo --no-traffic --reviews v2\n  mixerless demo --rate 50 --duration 60s\n  mixerless demo --config ./my-rules.yaml --json",
    )
    .action(async (flags: DemoFlags) => {
      await runDemo({ ...flags, duration: flags.duration ?? null, clock: new SystemClock() });
      process.exit(0);
    });
}

interface DemoFlags {
  readonly traffic: boolean;
  readonly rate: number;
  readonly seed: number;
  readonly duration?: number;
  readonly config: readonly string[];
  readonly reviews: ReviewsChoice;
  readonly loopback: "many" | "single";
  readonly istioVersion: string;
  readonly json: boolean;
}

function addPilot(program: Command): void {
  program
    .command("pilot")
    .description("run the control plane from Istio YAML files")
    .requiredOption("--config <path>", "a folder or a file, watched; repeatable", collect, [])
    .option("--http <address>", "debug pages and metrics", "127.0.0.1:8080")
    .option("--grpc <address>", "xDS", "127.0.0.1:15010")
    .addOption(
      new Option("--telemetry <mode>", "how proxies come by Istio's metrics")
        .choices(["native", "envoyfilter", "none"])
        .default("native"),
    )
    .addHelpText("after", "\nExample:\n  mixerless pilot --config ./istio --http 127.0.0.1:8080 --grpc 127.0.0.1:15010")
    .action(async (flags: { config: string[]; http: string; grpc: string; telemetry: TelemetryMode }) => {
      const pilot = await runPilot({
        paths: flags.config,
        http: address(flags.http),
        grpc: flags.grpc,
        clock: new SystemClock(),
        log: (message) => process.stderr.write(`${message}\n`),
        telemetry: flags.telemetry,
        version: VERSION,
      });
      stopOnRequest(() => pilot.close(), STOP_LIMIT);
      reportReady();
    });
}

/** Started by the demo; the command for people comes with its own flags. */
function addSidecar(program: Command): void {
  program.command("sidecar", { hidden: true }).action(async () => {
    const settings = JSON.parse(process.env.MIXERLESS_SIDECAR ?? "null") as SidecarSettings | null;
    if (settings === null) throw new Error("MIXERLESS_SIDECAR is not set. This command is for the demo's own use.");
    let stop = () => {};
    const agent = await runAgent({
      ...settings,
      environment: process.env,
      clock: new SystemClock(),
      log: (message) => process.stderr.write(`${message}\n`),
      version: VERSION,
      onQuit: () => stop(),
    });
    stop = stopOnRequest(() => agent.close(), STOP_LIMIT);
    await agent.whenReady;
    reportReady();
  });
}

function collect(value: string, previous: string[]): string[] {
  return [...previous, value];
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0) || value > 10_000) throw new InvalidArgumentError("Give a number above 0 and up to 10000.");
  return value;
}

function integer(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value)) throw new InvalidArgumentError("Give a whole number.");
  return value;
}

function duration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  const factor = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match?.[2] ?? ""];
  if (match === null || factor === undefined)
    throw new InvalidArgumentError("Give a number and a unit, for example 30s or 5m.");
  return Number(match[1]) * factor;
}

function address(text: string): { ip: string; port: number } {
  const colon = text.lastIndexOf(":");
  return { ip: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
}
