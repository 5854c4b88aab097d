import { SystemClock } from "@mixerless/clock";
import { type Command, Option } from "commander";
import { reportReady, stopOnRequest } from "../child-process.ts";
import { CONCURRENCY_HELP, concurrency, workersOf } from "../concurrency.ts";
import { prepareProxy, startProxy } from "../proxy/run-proxy.ts";
import { duration } from "./arguments.ts";

/** Between two looks at the open connections of a proxy that is to stop, milliseconds. */
const CHECK_INTERVAL = 50;

export function addProxy(program: Command): void {
  program
    .command("proxy")
    .description("run the embedded proxy from an Envoy bootstrap (YAML or JSON)")
    .requiredOption("-c, --config-path <file>", "an envoy.config.bootstrap.v3.Bootstrap with static resources or ADS")
    .addOption(
      new Option("--mode <mode>", "validate checks the file and ends, without listening")
        .choices(["serve", "validate"])
        .default("serve"),
    )
    .option("--service-node <id>", "node.id, if the file has none")
    .option("--service-cluster <name>", "node.cluster, if the file has none")
    .option("--drain-time <time>", "on SIGTERM, how long open connections may go on, for example 5s", duration, 5000)
    .option("--concurrency <number>", CONCURRENCY_HELP, concurrency, 1)
    .addHelpText("after", HELP)
    .action(async (flags: ProxyFlags) => {
      const log = (message: string) => process.stderr.write(`${message}\n`);
      const clock = new SystemClock();
      let quit = () => {};
      const workers = workersOf(flags.concurrency);
      const proxy = prepareProxy({ ...flags, file: flags.configPath, workers, clock, log, onQuit: () => quit() });
      if (flags.mode === "validate") {
        await proxy.close();
        process.stdout.write(`configuration '${flags.configPath}' OK\n`);
        return;
      }
      await startProxy(proxy, log);
      process.on("SIGUSR1", () => proxy.reopenLogs());
      const stop = async () => {
        log(`Draining for up to ${flags.drainTime / 1000} s before the stop.`);
        proxy.drain({ scope: "all", graceful: true, skipExit: false });
        const end = clock.monotonic() + flags.drainTime;
        const busy = () => proxy.listeners.some((listener) => listener.connections > 0);
        while (busy() && clock.monotonic() < end)
          await new Promise<void>((resolve) => clock.after(CHECK_INTERVAL, resolve));
        await proxy.close();
      };
      stopOnRequest(stop, flags.drainTime + 2000);
      quit = () => void proxy.close().finally(() => process.exit(0));
      await proxy.whenReady;
      log("Ready.");
      reportReady();
    });
}

const HELP = `
Everything that the file asks for and that this proxy does not do is refused, with line and field, before
anything listens. SIGTERM and SIGINT drain and stop; SIGUSR1 reopens the access logs after a rotation.

Examples:
  mixerless proxy -c envoy.yaml
  mixerless proxy -c envoy.yaml --concurrency 4
  mixerless proxy -c envoy.yaml --mode validate
  mixerless proxy -c envoy.json --service-node web-1 --service-cluster web --drain-time 30s`;

interface ProxyFlags {
  readonly configPath: string;
  readonly mode: "serve" | "validate";
  readonly serviceNode?: string;
  readonly serviceCluster?: string;
  readonly drainTime: number;
  readonly concurrency: number;
}
