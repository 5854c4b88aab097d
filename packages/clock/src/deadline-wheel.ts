import type { Clock, Timer } from "./clock.ts";

/** A call that a {@link DeadlineWheel} will make unless it is cancelled first. */
export class Deadline {
  readonly callback: () => void;
  /** The bucket that holds this deadline, or null once it has fired or was cancelled. */
  bucket: Set<Deadline> | null;

  constructor(callback: () => void, bucket: Set<Deadline>) {
    this.callback = callback;
    this.bucket = bucket;
  }

  cancel(): void {
    this.bucket?.delete(this);
    this.bucket = null;
  }
}

/**
 * Many deadlines on one timer. A timer per request costs about as much as parsing the request; an
 * insertion into a bucket costs almost nothing. The price is precision: a deadline fires up to one
 * tick late, never early. The underlying timer runs only while a deadline waits.
 */
export class DeadlineWheel {
  readonly #clock: Clock;
  readonly #tick: number;
  readonly #buckets = new Map<number, Set<Deadline>>();
  #timer: Timer | null = null;
  #lastSlot = 0;

  /** `tick` is the precision in milliseconds. */
  constructor(clock: Clock, tick = 100) {
    this.#clock = clock;
    this.#tick = tick;
  }

  /** Calls `callback` once, between `delay` and `delay + tick` milliseconds from now. */
  after(delay: number, callback: () => void): Deadline {
    const slot = Math.floor((this.#clock.monotonic() + Math.max(delay, 0)) / this.#tick) + 1;
    let bucket = this.#buckets.get(slot);
    if (bucket === undefined) {
      bucket = new Set();
      this.#buckets.set(slot, bucket);
    }
    const deadline = new Deadline(callback, bucket);
    bucket.add(deadline);
    if (this.#timer === null) {
      this.#lastSlot = Math.floor(this.#clock.monotonic() / this.#tick);
      this.#timer = this.#clock.every(this.#tick, () => this.#turn());
    }
    return deadline;
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#buckets.clear();
  }

  #turn(): void {
    const current = Math.floor(this.#clock.monotonic() / this.#tick);
    // After a long stall of the event loop it is cheaper to look at the buckets than at every slot passed.
    const due: number[] = [];
    if (current - this.#lastSlot > this.#buckets.size) {
      for (const slot of this.#buckets.keys()) if (slot <= current) due.push(slot);
      due.sort((a, b) => a - b);
    } else {
      for (let slot = this.#lastSlot + 1; slot <= current; slot++) if (this.#buckets.has(slot)) due.push(slot);
    }
    this.#lastSlot = current;
    for (const slot of due) this.#fire(slot);
    if (this.#buckets.size === 0) {
      this.#timer?.cancel();
      this.#timer = null;
    }
  }

  #fire(slot: number): void {
    const bucket = this.#buckets.get(slot);
    if (bucket === undefined) return;
    this.#buckets.delete(slot);
    for (const deadline of bucket) {
      if (deadline.bucket === null) continue;
      deadline.bucket = null;
      deadline.callback();
    }
  }
}
