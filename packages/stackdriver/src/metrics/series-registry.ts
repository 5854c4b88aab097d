import type { Clock } from "@mixerless/clock";
import { Series, type SeriesIdentity } from "./series.ts";

/** Time series of a proxy. More are refused: each costs memory, and money at the receiver. */
const MOST_SERIES = 10_000;

/** All time series of a proxy, by what they are of: several filters with the same labels add to one. */
export class SeriesRegistry {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #series = new Map<string, Series>();

  constructor(clock: Clock, most = MOST_SERIES) {
    this.#clock = clock;
    this.#most = most;
  }

  /** The series, made where it is missing; null when there are too many. `expiry`: milliseconds, 0 for never. */
  find(identity: SeriesIdentity, expiry: number): Series | null {
    const key = `${identity.metric.name}\0${identity.resource.type}\0${identity.values.join("\0")}`;
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    if (this.#series.size >= this.#most) return null;
    // An interval has a beginning before its end, also when it is exported at once.
    const made = new Series(identity, this.#clock.now() - 1, this.#clock.monotonic(), expiry);
    this.#series.set(key, made);
    return made;
  }

  /** Those that are alive; what was idle too long is forgotten. */
  current(): Series[] {
    const now = this.#clock.monotonic();
    for (const [key, series] of this.#series) {
      if (series.expiry === 0 || now - series.changed < series.expiry) continue;
      series.live = false;
      this.#series.delete(key);
    }
    return [...this.#series.values()];
  }
}
