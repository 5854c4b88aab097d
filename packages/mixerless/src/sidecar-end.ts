import type { Agent } from "@mixerless/agent";
import { endAfter, once, onStopRequest, STOP_LIMIT } from "./child-process.ts";

/** How a process that is a sidecar takes signals and ends. Draining may take as long as it is set to, closing may not. */
export class SidecarEnd {
  #agent: Agent | null = null;
  /** Ends it at once. */
  readonly quit = once(() => endAfter(async () => this.#agent?.close(), STOP_LIMIT));
  /** Drains it, then ends it. */
  readonly stop = once(() => void (this.#agent?.drain() ?? Promise.resolve()).finally(this.quit));

  /** SIGTERM and SIGINT stop it; the death of the parent ends it. SIGUSR1 reopens its logs, as in Envoy. */
  attach(agent: Agent): void {
    this.#agent = agent;
    onStopRequest(this.stop, this.quit);
    process.on("SIGUSR1", () => agent.reopenLogs());
  }
}
