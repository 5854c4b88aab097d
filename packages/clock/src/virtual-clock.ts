import type { Clock, Timer } from "./clock.ts";

interface Pending {
  at: number;
  /** Calls due at the same instant run in the order in which they were asked for. */
  order: number;
  interval: number | null;
  callback: () => void;
}

/** Time that moves only when a test says so. */
export class VirtualClock implements Clock {
  #now: number;
  #start: number;
  #order = 0;
  #pending = new Set<Pending>();

  /** `start` is the wall-clock time of the first instant, in milliseconds since the epoch. */
  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#now = start;
    this.#start = start;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now - this.#start;
  }

  after(delay: number, callback: () => void): Timer {
    return this.#schedule(delay, null, callback);
  }

  every(interval: number, callback: () => void): Timer {
    return this.#schedule(interval, interval, callback);
  }

  /** The number of calls that wait. A closed object should leave none behind. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Moves time on by `duration` milliseconds and runs, in order, every call that falls due. */
  advance(duration: number): void {
    const end = this.#now + duration;
    for (;;) {
      const next = this.#earliest();
      if (next === null || next.at > end) break;
      this.#now = Math.max(this.#now, next.at);
      if (next.interval === null) this.#pending.delete(next);
      else next.at += Math.max(next.interval, 1);
      next.callback();
    }
    this.#now = end;
  }

  /** As {@link advance}, but lets promises settle before and after each step of `step` milliseconds. */
  async advanceAsync(duration: number, step = duration): Promise<void> {
    await settle();
    for (let left = duration; left > 0; left -= step) {
      this.advance(Math.min(step, left));
      await settle();
    }
  }

  #schedule(delay: number, interval: number | null, callback: () => void): Timer {
    const entry: Pending = { at: this.#now + Math.max(delay, 0), order: this.#order++, interval, callback };
    this.#pending.add(entry);
    return { cancel: () => this.#pending.delete(entry) };
  }

  #earliest(): Pending | null {
    let first: Pending | null = null;
    for (const entry of this.#pending) {
      if (first === null || entry.at < first.at || (entry.at === first.at && entry.order < first.order)) first = entry;
    }
    return first;
  }
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
