import type { Clock, Timer } from "@mixerless/clock";
import type { Backoff } from "./backoff.ts";

/** What became of a batch: taken, not taken but worth another attempt, or refused for good. */
export type SendOutcome = "sent" | "again" | "refused";

/** Told what becomes of items; each ends in exactly one of the three. */
export interface BatchReport {
  sent(items: number): void;
  /** Refused by the receiver. */
  failed(items: number): void;
  /** Never came to a receiver: no room, or the end came first. */
  dropped(items: number): void;
}

export interface BatchQueueOptions<T> {
  readonly clock: Clock;
  readonly backoff: Backoff;
  /** Most bytes that wait, those of a batch under way included. What exceeds them is dropped. */
  readonly capacity: number;
  /** Bytes at which a batch is full and goes at once. A single item may be larger. */
  readonly batchBytes: number;
  /** Most items of a batch. */
  readonly batchItems: number;
  /** Most milliseconds that an item waits for others. */
  readonly interval: number;
  /** Must settle by itself, and never rejects. */
  readonly send: (batch: readonly T[]) => Promise<SendOutcome>;
  readonly report: BatchReport;
}

interface Entry<T> {
  readonly item: T;
  readonly bytes: number;
}

/**
 * Collects items into batches and sends one batch at a time. Offering never waits: a receiver that is slow or away costs
 * items, which are counted, and a bounded amount of memory.
 */
export class BatchQueue<T> {
  readonly #options: BatchQueueOptions<T>;
  #entries: Entry<T>[] = [];
  #bytes = 0;
  #timer: Timer | null = null;
  #sending: Promise<void> | null = null;
  /** The receiver asked for a pause. */
  #pausing = false;
  #closed = false;

  constructor(options: BatchQueueOptions<T>) {
    this.#options = options;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes the item, or drops it. */
  offer(item: T, bytes: number): void {
    const { capacity, batchBytes, batchItems, report } = this.#options;
    if (this.#closed || this.#bytes + bytes > capacity) {
      report.dropped(1);
      return;
    }
    this.#entries.push({ item, bytes });
    this.#bytes += bytes;
    if (this.#pausing || this.#sending !== null) return;
    if (this.#bytes >= batchBytes || this.#entries.length >= batchItems) this.#sendNext();
    else this.#timer ??= this.#options.clock.after(this.#options.interval, () => this.#sendNext());
  }

  /** Sends what waits, giving it `limit` milliseconds; the rest is dropped. Nothing is taken any more. */
  async close(limit: number): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = null;
    let timeout: Timer | null = null;
    const over = new Promise<void>((wake) => {
      timeout = this.#options.clock.after(limit, wake);
    });
    await Promise.race([this.#drain(), over]);
    (timeout as Timer | null)?.cancel();
    const left = this.#entries.length;
    this.#entries = [];
    this.#bytes = 0;
    if (left > 0) this.#options.report.dropped(left);
  }

  /** One attempt for each batch: who is about to go doesn't wait for a receiver that is away. */
  async #drain(): Promise<void> {
    await this.#sending;
    while (this.#entries.length > 0) {
      const before = this.#entries.length;
      await this.#attempt();
      if (this.#entries.length === before) return;
    }
  }

  #sendNext(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#pausing = false;
    if (this.#entries.length === 0 || this.#sending !== null) return;
    this.#sending = this.#attempt().then((pause) => {
      this.#sending = null;
      if (!this.#closed) this.#goOn(pause);
    });
  }

  #goOn(pause: number): void {
    const { clock, batchBytes, batchItems, interval } = this.#options;
    if (pause > 0) {
      this.#pausing = true;
      this.#timer = clock.after(pause, () => this.#sendNext());
    } else if (this.#bytes >= batchBytes || this.#entries.length >= batchItems) this.#sendNext();
    else if (this.#entries.length > 0) this.#timer = clock.after(interval, () => this.#sendNext());
  }

  /** Sends the first batch. Gives the milliseconds until the next attempt is welcome. */
  async #attempt(): Promise<number> {
    const { backoff, report, send } = this.#options;
    const count = this.#batchLength();
    const outcome = await send(this.#entries.slice(0, count).map(({ item }) => item));
    if (outcome === "again") return backoff.pause();
    backoff.reset();
    // The end may have come meanwhile, and counted what waited.
    const gone = this.#entries.splice(0, count);
    for (const { bytes } of gone) this.#bytes -= bytes;
    if (outcome === "sent") report.sent(gone.length);
    else report.failed(gone.length);
    return 0;
  }

  #batchLength(): number {
    const { batchBytes, batchItems } = this.#options;
    let bytes = 0;
    let count = 0;
    for (const entry of this.#entries) {
      bytes += entry.bytes;
      if (count > 0 && (bytes > batchBytes || count >= batchItems)) break;
      count++;
    }
    return count;
  }
}
