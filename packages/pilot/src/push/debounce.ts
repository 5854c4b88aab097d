import type { Clock, Timer } from "@mixerless/clock";

/** Turns a burst of events into one call: after a quiet time, but no later than a maximum [control-plane §5.7]. */
export class Debounce {
  readonly #clock: Clock;
  readonly #quiet: number;
  readonly #maximum: number;
  readonly #run: () => void;
  #timer: Timer | null = null;
  #first = 0;

  /** Milliseconds. */
  constructor(clock: Clock, quiet: number, maximum: number, run: () => void) {
    this.#clock = clock;
    this.#quiet = quiet;
    this.#maximum = maximum;
    this.#run = run;
  }

  trigger(): void {
    const now = this.#clock.monotonic();
    if (this.#timer === null) this.#first = now;
    this.#timer?.cancel();
    const delay = Math.max(0, Math.min(this.#quiet, this.#first + this.#maximum - now));
    this.#timer = this.#clock.after(delay, () => {
      this.#timer = null;
      this.#run();
    });
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
