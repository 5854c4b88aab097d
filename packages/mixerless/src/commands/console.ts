import { SystemClock } from "@mixerless/clock";
import type { Command } from "commander";
import { runConsole } from "../console/run-console.ts";
import { findPilot } from "../mesh/find-pilot.ts";
import { PilotClient } from "../mesh/pilot-client.ts";
import { integer } from "./arguments.ts";

/** A port that people can remember; the pages of a proxy begin there too. */
const PORT = 15080;

export function addConsole(program: Command): void {
  program
    .command("console")
    .description("serve the page that shows the mesh, on loopback")
    .option("--port <port>", "where; 0 for any free one", integer, PORT)
    .option("--pilot <url>", "control plane (default: the mesh that runs here)")
    .addHelpText(
      "after",
      "\nExamples:\n  mixerless console\n  mixerless console --port 0 --pilot http://127.0.0.1:8080",
    )
    .action(async (flags: { port: number; pilot?: string }) => {
      const pilot = new PilotClient(await findPilot(flags.pilot, process.env));
      const running = await runConsole({
        pilot,
        address: { ip: "127.0.0.1", port: flags.port },
        clock: new SystemClock(),
      });
      process.stdout.write(`Console: ${running.url}\n`);
      process.send?.({ ready: true });
      for (const signal of ["SIGINT", "SIGTERM"] as const)
        process.once(signal, () => void running.close().then(() => process.exit(0)));
    });
}
