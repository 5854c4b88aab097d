/** Something that is still to happen. */
export interface FakeTimer {
  /** Prevents it. Cancelling twice, or afterwards, does nothing. */
  cancel(): void;
}

interface Pending {
  readonly at: number;
  readonly callback: () => void;
}

/** Time that moves only when a test says so. What is due at the same instant runs in the order in which it was asked for. */
export class FakeTimers {
  readonly #pending = new Set<Pending>();
  #now = 1_700_000_000_000;

  /** Milliseconds since the epoch. */
  get now(): number {
    return this.#now;
  }

  after(milliseconds: number, callback: () => void): FakeTimer {
    return this.at(this.#now + Math.max(milliseconds, 0), callback);
  }

  at(time: number, callback: () => void): FakeTimer {
    const entry: Pending = { at: time, callback };
    this.#pending.add(entry);
    return { cancel: () => this.#pending.delete(entry) };
  }

  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (let next = this.#next(); next !== null && next.at <= end; next = this.#next()) {
      this.#pending.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
    this.#now = end;
  }

  #next(): Pending | null {
    let first: Pending | null = null;
    for (const entry of this.#pending) if (first === null || entry.at < first.at) first = entry;
    return first;
  }
}
