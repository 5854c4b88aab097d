import { runSecretAgent, type SecretAgentOptions } from "@mixerless/agent";
import { SystemClock } from "@mixerless/clock";
import type { Command } from "commander";
import { reportReady, STOP_LIMIT, stopOnRequest } from "../child-process.ts";

/** What the process is told, as JSON in `MIXERLESS_SECRETS`. */
export type SecretSettings = Omit<SecretAgentOptions, "clock" | "log">;

/** Started by the demo, for a workload whose sidecar is an Envoy that somebody else runs. */
export function addSecrets(program: Command): void {
  program.command("secrets", { hidden: true }).action(async () => {
    const settings = JSON.parse(process.env.MIXERLESS_SECRETS ?? "null") as SecretSettings | null;
    if (settings === null) throw new Error("MIXERLESS_SECRETS is not set. This command is for the demo's own use.");
    const log = (message: string) => process.stderr.write(`${message}\n`);
    const agent = runSecretAgent({ ...settings, clock: new SystemClock(), log });
    stopOnRequest(agent.close, STOP_LIMIT);
    await agent.whenReady;
    reportReady();
  });
}
