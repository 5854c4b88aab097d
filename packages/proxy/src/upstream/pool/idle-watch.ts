import type { Clock, Deadline, DeadlineWheel } from "@mixerless/clock";

/**
 * One deadline for all idle connections of a pool. A connection becomes idle with each request that it finishes: a
 * deadline of its own would be made and dropped as often. Whoever is called back looks which have been idle for too
 * long, and has the next one watched.
 */
export class IdleWatch {
  readonly #clock: Clock;
  readonly #wheel: DeadlineWheel;
  readonly #onDue: () => void;
  #deadline: Deadline | null = null;
  #timeout = 0;

  constructor(clock: Clock, wheel: DeadlineWheel, onDue: () => void) {
    this.#clock = clock;
    this.#wheel = wheel;
    this.#onDue = onDue;
  }

  /**
   * Something is idle since `since` and may be for `timeout` milliseconds; 0: for ever. What is watched already
   * became idle earlier, so nothing is to be done unless the configuration has changed.
   */
  watch(timeout: number, since: number): void {
    if (this.#deadline !== null && timeout === this.#timeout) return;
    this.stop();
    this.#timeout = timeout;
    if (timeout > 0) this.#deadline = this.#wheel.after(since + timeout - this.#clock.monotonic(), () => this.#due());
  }

  stop(): void {
    this.#deadline?.cancel();
    this.#deadline = null;
  }

  #due(): void {
    this.#deadline = null;
    this.#onDue();
  }
}
