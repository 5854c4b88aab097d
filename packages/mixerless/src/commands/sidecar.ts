import { type Agent, runAgent } from "@mixerless/agent";
import { SystemClock } from "@mixerless/clock";
import type { Command } from "commander";
import { endAfter, once, onStopRequest, reportReady, STOP_LIMIT } from "../child-process.ts";
import type { SidecarSettings } from "../demo/processes.ts";
import { VERSION } from "../version.ts";

/** Started by the demo; the command for people comes with its own flags. */
export function addSidecar(program: Command): void {
  program.command("sidecar", { hidden: true }).action(async () => {
    const settings = JSON.parse(process.env.MIXERLESS_SIDECAR ?? "null") as SidecarSettings | null;
    if (settings === null) throw new Error("MIXERLESS_SIDECAR is not set. This command is for the demo's own use.");
    let agent: Agent | null = null;
    const quit = once(() => endAfter(async () => agent?.close(), STOP_LIMIT));
    const stop = once(() => void (agent?.drain() ?? Promise.resolve()).finally(quit));
    agent = await runAgent({
      ...settings,
      environment: process.env,
      clock: new SystemClock(),
      log: (message) => process.stderr.write(`${message}\n`),
      version: VERSION,
      onStop: stop,
      onQuit: quit,
    });
    onStopRequest(stop, quit);
    await agent.whenReady;
    reportReady();
  });
}
