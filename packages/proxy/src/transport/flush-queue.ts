/** Something that holds back what it was given until the end of the turn. */
export interface Flushable {
  flush(): void;
}

/** At most so many wait for each other. Measured: more save nothing. */
const MOST = 8;

/**
 * Sends what all transports of a factory gathered during one turn of the event loop: one write for each transport,
 * however many pieces were appended to it.
 *
 * Not after each callback: peers that are woken one after another by writes that follow each other run once for all of
 * them, which saves a fifth of the CPU of a request when there is much to do. And not all at the end: where little is to
 * do, the first answer of a burst would wait for the work on the others. So the more a turn had to send, the more of the
 * next turn's transports are gathered, up to {@link MOST}.
 */
export class FlushQueue {
  #waiting: Flushable[] = [];
  #spare: Flushable[] = [];
  #scheduled = false;
  /** Transports that got something to send in this turn. */
  #added = 0;
  #limit = 1;
  readonly #schedule: (run: () => void) => void;
  readonly #run = (): void => this.#endTurn();

  constructor(schedule: (run: () => void) => void = setImmediate) {
    this.#schedule = schedule;
  }

  /** The transport still fills: it is sent with those that come after it, or at the end of the turn. */
  add(transport: Flushable): void {
    if (this.#waiting.length >= this.#limit) this.#flushAll();
    this.#waiting.push(transport);
    this.#added++;
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#schedule(this.#run);
  }

  #endTurn(): void {
    this.#scheduled = false;
    this.#limit = Math.min(MOST, Math.max(1, this.#added >> 2));
    this.#added = 0;
    this.#flushAll();
  }

  #flushAll(): void {
    const due = this.#waiting;
    this.#waiting = this.#spare;
    for (const transport of due) transport.flush();
    due.length = 0;
    this.#spare = due;
  }
}
