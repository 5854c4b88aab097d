import { resolve } from "node:path";
import { SystemClock } from "@mixerless/clock";
import { type RemoteKeys, runPilot, type TelemetryMode } from "@mixerless/pilot";
import { type Command, Option } from "commander";
import { reportReady, STOP_LIMIT, stopOnRequest } from "../child-process.ts";
import { stateFolder, writeStateFile } from "../mesh/state-file.ts";
import { VERSION } from "../version.ts";
import { address, collect, telemetryOption } from "./arguments.ts";

export function addPilot(program: Command): void {
  program
    .command("pilot")
    .description("run the control plane from Istio YAML files")
    .requiredOption("--config <path>", "a folder or a file, watched; repeatable", collect, [])
    .option("--http <address>", "debug pages and metrics", "127.0.0.1:8080")
    .option("--grpc <address>", "xDS", "127.0.0.1:15010")
    .option("--authority <folder>", "issue certificates: the folder of the signing authority, made if it is not there")
    .option("--secure-grpc <address>", "xDS and certificates by TLS, with --authority", "127.0.0.1:15012")
    .addOption(telemetryOption(["native", "wasm", "envoyfilter", "none"]))
    .addOption(
      new Option(
        "--remote-jwks <mode>",
        "who fetches the keys of tokens: off: this process; hybrid: proxies that see the host; envoy: proxies",
      )
        .choices(["off", "hybrid", "envoy"])
        .default("off"),
    )
    .addHelpText("after", "\nExample:\n  mixerless pilot --config ./istio --http 127.0.0.1:8080 --grpc 127.0.0.1:15010")
    .action(async (flags: PilotFlags) => {
      const pilot = await runPilot({
        paths: flags.config,
        http: address(flags.http),
        grpc: flags.grpc,
        clock: new SystemClock(),
        log: (message) => process.stderr.write(`${message}\n`),
        telemetry: flags.telemetry,
        authority: flags.authority === undefined ? null : { folder: flags.authority, secureGrpc: flags.secureGrpc },
        remoteKeys: flags.remoteJwks,
        version: VERSION,
      });
      const { ip, port } = pilot.httpAddress;
      const url = `http://${ip === "0.0.0.0" || ip === "::" ? "127.0.0.1" : ip.includes(":") ? `[${ip}]` : ip}:${port}`;
      const mesh = {
        ...{ pid: process.pid, pilot: url, config: flags.config },
        ...(flags.authority === undefined ? {} : { authority: resolve(flags.authority) }),
      };
      const removeState = await writeStateFile(stateFolder(process.env), mesh);
      stopOnRequest(async () => {
        await Promise.all([pilot.close(), removeState()]);
      }, STOP_LIMIT);
      reportReady();
    });
}

interface PilotFlags {
  readonly config: string[];
  readonly http: string;
  readonly grpc: string;
  readonly authority?: string;
  readonly secureGrpc: string;
  readonly telemetry: TelemetryMode;
  readonly remoteJwks: RemoteKeys;
}
