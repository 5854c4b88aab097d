/** One direction of a fake stream: what its callbacks have at hand, what has gone on, and whether it waits. */
export class FakeFlow {
  /** The bytes at hand in a callback: those that were held back and those that have just come. A byte string. */
  body = "";
  /** Those that have just come. */
  piece = "";
  /** All bytes of the body that have gone on so far. */
  passed = "";
  /** Which filter holds the direction back; −1: none. */
  heldBy = -1;
  #next: (() => void) | null = null;
  #resumed = false;

  /** Whether a plugin has answered PAUSE and has not gone on yet. */
  get paused(): boolean {
    return this.heldBy >= 0;
  }

  /** A callback is about to run. */
  begin(): void {
    this.#resumed = false;
  }

  /** The filter at this place has answered PAUSE; `next` goes on. False: it has resumed meanwhile. */
  hold(filter: number, next: () => void): boolean {
    if (this.#resumed) return false;
    this.heldBy = filter;
    this.#next = next;
    return true;
  }

  /** Goes on, now or as soon as the callback that asks for it returns. */
  resume(): void {
    this.#resumed = true;
    const next = this.#next;
    this.#next = null;
    this.heldBy = -1;
    next?.();
  }
}
