import type { Clock } from "@mixerless/clock";
import type { StopSettings } from "./stop-settings.ts";

/** What a stop uses of the sidecar. */
export interface StopParts {
  readonly clock: Clock;
  readonly log: (message: string) => void;
  readonly settings: StopSettings;
  /** Asks clients to go elsewhere; `skipExit` goes on accepting for as long as the sidecar lives. */
  readonly drain: (skipExit: boolean) => void;
  readonly activeConnections: () => number;
}

/** Milliseconds between two looks at the open connections. */
const CHECK_INTERVAL = 1000;

/**
 * The way out of service of Istio's agent: drain, then wait for a fixed time, or until no connection is
 * open. New connections are accepted meanwhile: clients learn with a delay that this endpoint goes.
 */
export class GracefulStop {
  readonly #parts: StopParts;
  #drained = false;
  #waiting: Promise<void> | null = null;

  constructor(parts: StopParts) {
    this.#parts = parts;
  }

  get begun(): boolean {
    return this.#drained;
  }

  /** Drains ahead of the stop, as a preStop hook does; the sidecar goes on serving. */
  drainNow(): void {
    if (this.#drained) return;
    this.#drained = true;
    this.#parts.drain(true);
  }

  /** Resolves when the sidecar may end. */
  wait(): Promise<void> {
    this.#waiting ??= this.#run();
    return this.#waiting;
  }

  async #run(): Promise<void> {
    const { settings, drain, log } = this.#parts;
    const { exitOnZeroActiveConnections, minimumDrainDuration, terminationDrainDuration } = settings;
    if (!this.#drained) drain(exitOnZeroActiveConnections);
    this.#drained = true;
    if (!exitOnZeroActiveConnections) {
      if (terminationDrainDuration > 0) log(`Draining for ${terminationDrainDuration / 1000} s before the stop.`);
      await this.#after(terminationDrainDuration);
      return;
    }
    log(`Draining for ${minimumDrainDuration / 1000} s, then until no connection is open.`);
    await this.#after(minimumDrainDuration);
    while (this.#parts.activeConnections() > 0) await this.#after(CHECK_INTERVAL);
  }

  #after(delay: number): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.clock.after(delay, resolve);
    });
  }
}
