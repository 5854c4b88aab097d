import { SystemClock } from "@mixerless/clock";
import type { TelemetryMode } from "@mixerless/pilot";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { MeshChoices } from "../demo/mesh-files.ts";
import { readPluginFiles } from "../demo/plugin-files.ts";
import { runDemo } from "../demo/run-demo.ts";
import { WORKLOADS } from "../demo/workloads.ts";
import { CommandError } from "../mesh/command-error.ts";
import { ISTIO_VERSION } from "../version.ts";
import { collect, duration, integer, positive, telemetryOption } from "./arguments.ts";

export function addDemo(program: Command): void {
  program
    .command("demo")
    .description("run Bookinfo with a sidecar beside each workload, on loopback addresses")
    .option("--no-traffic", "send no requests")
    .option("--rate <n>", "page views a second", positive, 5)
    .option("--seed <n>", "makes the jitter of the traffic reproducible", integer, 1)
    .option("--duration <time>", "end after this time, for example 30s or 5m", duration)
    .option("--config <path>", "more Istio YAML on top, a folder or a file, watched; repeatable", collect, [])
    .option(
      "--plugin <file>",
      "a WebAssembly module that runs in all proxies as a plugin (WasmPlugin); repeatable, in this order",
      collect,
      [],
    )
    .addOption(
      new Option("--reviews <version>", "which version of reviews serves")
        .choices(["v1", "v2", "v3", "all"])
        .default("all"),
    )
    .addOption(
      new Option("--mtls <mode>", "between workloads: in clear, by TLS where both can, or by TLS only")
        .choices(["off", "permissive", "strict"])
        .default("strict"),
    )
    .addOption(
      new Option("--certificate-lifetime <time>", "how long workloads' certificates live (default: 24 hours)")
        .env("SECRET_TTL")
        .argParser(duration),
    )
    .addOption(
      new Option("--authz <set>", "who may call whom: everybody, or exactly those whom Bookinfo needs")
        .choices(["none", "bookinfo"])
        .default("none"),
    )
    .addOption(
      new Option("--loopback <kind>", "an address for each workload, or one for all")
        .choices(["many", "single"])
        .default("many"),
    )
    .option("--istio-version <version>", "ISTIO_VERSION of the proxies", ISTIO_VERSION)
    .addOption(telemetryOption(["native", "envoyfilter", "none"]))
    .addOption(
      new Option("--extensions <form>", "Istio's telemetry in the proxies: in process, or the same as Wasm modules")
        .choices(["native", "wasm"])
        .default("native"),
    )
    .option(
      "--external <workload>",
      "start no sidecar for it, write a bootstrap for Envoy and serve its certificate; repeatable",
      external,
      [],
    )
    .option("--no-console", "serve no page that shows the mesh")
    .option("--json", "print one line of JSON when everything is ready", false)
    .addHelpText(
      "after",
      "\nExamples:\n  mixerless demo\n  mixerless demo --no-traffic --reviews v2\n  mixerless demo --rate 50 --duration 60s\n  mixerless demo --config ./my-rules.yaml --json\n  mixerless demo --plugin ./build/plugin.wasm\n  mixerless demo --config ./envoy-filters.yaml --telemetry envoyfilter --istio-version 1.9.9",
    )
    .action(async (flags: DemoFlags) => {
      if (flags.authz !== "none" && flags.mtls === "off")
        throw new CommandError("--authz bookinfo knows callers by their certificates. Give --mtls strict with it.", 2);
      const plugins = await readPluginFiles(flags.plugin);
      const { certificateLifetime = 0, duration: time = null } = flags;
      const telemetry = flags.telemetry === "native" ? flags.extensions : flags.telemetry;
      await runDemo({ ...flags, plugins, telemetry, duration: time, certificateLifetime, clock: new SystemClock() });
      process.exit(0);
    });
}

function external(name: string, previous: string[]): string[] {
  const names = WORKLOADS.map((workload) => workload.name);
  if (!names.includes(name)) throw new InvalidArgumentError(`Give one of ${names.join(", ")}.`);
  return [...previous, name];
}

interface DemoFlags extends Omit<MeshChoices, "plugins"> {
  readonly plugin: readonly string[];
  readonly traffic: boolean;
  readonly console: boolean;
  readonly rate: number;
  readonly seed: number;
  readonly duration?: number;
  readonly certificateLifetime?: number;
  readonly config: readonly string[];
  readonly loopback: "many" | "single";
  readonly istioVersion: string;
  readonly telemetry: TelemetryMode;
  readonly extensions: "native" | "wasm";
  readonly external: readonly string[];
  readonly json: boolean;
}
