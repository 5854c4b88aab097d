/** Something that holds back what it was given until the end of the turn. */
export interface Flushable {
  flush(): void;
}

/**
 * Sends what all transports of a factory gathered during one turn of the event loop, after the turn:
 * one write for each transport, however many pieces were appended to it.
 */
export class FlushQueue {
  #waiting: Flushable[] = [];
  #spare: Flushable[] = [];
  #scheduled = false;
  readonly #schedule: (run: () => void) => void;
  readonly #run = (): void => this.#flushAll();

  constructor(schedule: (run: () => void) => void = process.nextTick) {
    this.#schedule = schedule;
  }

  add(transport: Flushable): void {
    this.#waiting.push(transport);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#schedule(this.#run);
  }

  #flushAll(): void {
    const due = this.#waiting;
    this.#waiting = this.#spare;
    this.#scheduled = false;
    for (const transport of due) transport.flush();
    due.length = 0;
    this.#spare = due;
  }
}
