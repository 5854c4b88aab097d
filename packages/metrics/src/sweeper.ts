import type { Clock, Timer } from "@mixerless/clock";
import { type CoarseTime, TICK } from "./coarse-time.ts";
import type { Series } from "./series.ts";

/** What the sweeper needs of a metric. */
export interface SweptFamily {
  readonly idleTicks: number;
  live(): Iterable<Series>;
  end(series: Series): void;
}

/** Series looked at, and ended, before other work gets its turn; about a millisecond each. */
const LOOK = 8192;
const END = 512;
/** Milliseconds between two slices of one round. */
const PAUSE = 5;

/** Moves the coarse time on and ends series that nobody has updated for long, a slice at a time. */
export class Sweeper {
  readonly #clock: Clock;
  readonly #time: CoarseTime;
  readonly #families: () => Iterable<SweptFamily>;
  readonly #ticker: Timer;
  #pause: Timer | null = null;

  constructor(clock: Clock, time: CoarseTime, families: () => Iterable<SweptFamily>) {
    this.#clock = clock;
    this.#time = time;
    this.#families = families;
    this.#ticker = clock.every(TICK, () => this.#tick());
  }

  close(): void {
    this.#ticker.cancel();
    this.#pause?.cancel();
    this.#pause = null;
  }

  #tick(): void {
    this.#time.update();
    // A round that is longer than a tick goes on; the next begins when it is done.
    if (this.#pause === null) this.#go(this.#round());
  }

  #go(round: Iterator<void>): void {
    this.#pause = null;
    if (round.next().done === true) return;
    this.#pause = this.#clock.after(PAUSE, () => this.#go(round));
  }

  *#round(): Generator<void> {
    let looked = 0;
    let ended = 0;
    for (const family of this.#families()) {
      if (family.idleTicks === 0) continue;
      for (const series of family.live()) {
        if (this.#isIdle(series, family.idleTicks)) {
          family.end(series);
          ended++;
        }
        if (++looked % LOOK !== 0 && ended < END) continue;
        ended = 0;
        yield;
      }
    }
  }

  #isIdle(series: Series, idleTicks: number): boolean {
    if (series.balance && series.value !== 0) return false;
    // Strictly more, because a tick says only in which second the update was.
    return this.#time.tick - Math.max(series.touched, series.created) > idleTicks;
  }
}
