import type { Clock } from "@mixerless/clock";

/** Milliseconds of one tick. */
export const TICK = 1000;

/** Time in whole seconds, as a number that can be read on the data path without asking the system. */
export class CoarseTime {
  readonly #clock: Clock;
  readonly #start: number;
  /** Seconds since the store was made, from 1. 0 can thus mean "never". */
  tick = 1;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#start = clock.monotonic();
  }

  /** Called by a timer, every {@link TICK}. */
  update(): void {
    this.tick = Math.floor((this.#clock.monotonic() - this.#start) / TICK) + 1;
  }

  /** Wall-clock milliseconds at which `tick` was. */
  wallTime(tick: number): number {
    return this.#clock.now() - (this.tick - tick) * TICK;
  }
}
