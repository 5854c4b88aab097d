import { runAgent } from "@mixerless/agent";
import { SystemClock } from "@mixerless/clock";
import type { Command } from "commander";
import { reportReady } from "../child-process.ts";
import type { SidecarSettings } from "../demo/processes.ts";
import { SidecarEnd } from "../sidecar-end.ts";
import { VERSION } from "../version.ts";

/** Started by the demo; the command for people comes with its own flags. */
export function addSidecar(program: Command): void {
  program.command("sidecar", { hidden: true }).action(async () => {
    const settings = JSON.parse(process.env.MIXERLESS_SIDECAR ?? "null") as SidecarSettings | null;
    if (settings === null) throw new Error("MIXERLESS_SIDECAR is not set. This command is for the demo's own use.");
    const end = new SidecarEnd();
    const agent = await runAgent({
      ...settings,
      environment: process.env,
      clock: new SystemClock(),
      log: (message) => process.stderr.write(`${message}\n`),
      version: VERSION,
      onStop: end.stop,
      onQuit: end.quit,
    });
    end.attach(agent);
    await agent.whenReady;
    reportReady();
  });
}
