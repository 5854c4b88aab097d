import { randomUUID } from "node:crypto";
import { BUILT_IN_MODULES, BUILT_IN_STATES, createBuiltInExtensions, createModuleCache } from "@mixerless/agent";
import { SystemClock } from "@mixerless/clock";
import { MetricStore } from "@mixerless/metrics";
import { connectToPrimary, Worker } from "@mixerless/proxy";
import type { Command } from "commander";

/** Started by `proxy` and `agent` with --concurrency. */
export function addWorker(program: Command): void {
  program.command("worker", { hidden: true }).action(() => {
    const clock = new SystemClock();
    const log = (message: string) => process.stderr.write(`[worker ${process.pid}] ${message}\n`);
    const metrics = new MetricStore({ clock });
    const modules = createModuleCache({ clock, log, environment: process.env, metrics });
    const extensions = createBuiltInExtensions({ clock, environment: process.env, alone: false });
    const worker = new Worker({
      clock,
      modules,
      extensions: extensions.table,
      closeExtensions: extensions.close,
      ownModules: BUILT_IN_MODULES,
      states: BUILT_IN_STATES,
      log,
      random: Math.random,
      uuid: randomUUID,
      send: (message) => send(message),
      onEnd: () => {
        modules.close();
        process.exit(0);
      },
    });
    const send = connectToPrimary((message) => worker.receive(message));
    // A terminal sends its signals to all processes; the primary says what is to be done about them.
    for (const signal of ["SIGTERM", "SIGINT", "SIGUSR1"] as const) process.on(signal, () => {});
  });
}
