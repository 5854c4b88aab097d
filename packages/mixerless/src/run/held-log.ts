import type { Clock, Timer } from "@mixerless/clock";

/** Milliseconds after which somebody who waits wants to know what for. */
const PATIENCE = 3000;

/** Holds what a sidecar says while it joins: a refusal is told once, by whoever asked, not by the sidecar too. */
export class HeldLog {
  readonly #write: (message: string) => void;
  #held: string[] | null = [];
  readonly #timer: Timer;

  constructor(write: (message: string) => void, clock: Clock) {
    this.#write = write;
    this.#timer = clock.after(PATIENCE, () => this.release());
  }

  readonly log = (message: string): void => {
    if (this.#held === null) this.#write(message);
    else this.#held.push(message);
  };

  /** Says what was held, and from now on everything at once. */
  release(): void {
    this.#timer.cancel();
    for (const message of this.#held ?? []) this.#write(message);
    this.#held = null;
  }

  /** What is still held is never said. */
  close(): void {
    this.#timer.cancel();
  }
}
