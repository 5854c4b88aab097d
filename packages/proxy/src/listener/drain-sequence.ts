import type { Clock, Timer } from "@mixerless/clock";
import type { DrainScope, ListenerManager } from "./listener-manager.ts";

/** What `/drain_listeners` can ask for, in Envoy's words. */
export interface DrainRequest {
  readonly scope: DrainScope;
  /** Ask clients to go elsewhere for the drain time first; otherwise stop accepting at once. */
  readonly graceful: boolean;
  /** Go on accepting after the drain time too; only with `graceful`. */
  readonly skipExit: boolean;
}

/** Takes the listeners of a proxy out of service, without losing what is under way. */
export class DrainSequence {
  readonly #listeners: ListenerManager;
  readonly #clock: Clock;
  readonly #drainTime: number;
  #end: Timer | null = null;
  #begun = false;

  /** `drainTime` in milliseconds. */
  constructor(listeners: ListenerManager, clock: Clock, drainTime: number) {
    this.#listeners = listeners;
    this.#clock = clock;
    this.#drainTime = drainTime;
  }

  /** Whether this proxy is on its way out of service. */
  get begun(): boolean {
    return this.#begun;
  }

  /** A second graceful request while the first one runs changes nothing. */
  begin({ scope, graceful, skipExit }: DrainRequest): void {
    this.#begun = true;
    if (!graceful) {
      this.#listeners.stopAccepting(scope);
      return;
    }
    if (this.#end !== null) return;
    this.#listeners.drain(scope);
    this.#end = this.#clock.after(this.#drainTime, () => {
      if (!skipExit) this.#listeners.stopAccepting(scope);
    });
  }

  close(): void {
    this.#end?.cancel();
  }
}
