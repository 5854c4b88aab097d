import { runAgent } from "@mixerless/agent";
import { SystemClock } from "@mixerless/clock";
import type { Command } from "commander";
import { reportReady, STOP_LIMIT, stopOnRequest } from "../child-process.ts";
import type { SidecarSettings } from "../demo/processes.ts";
import { VERSION } from "../version.ts";

/** Started by the demo; the command for people comes with its own flags. */
export function addSidecar(program: Command): void {
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
