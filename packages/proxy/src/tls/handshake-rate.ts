/** So many a second, and as many at once after a quiet second. */
export class HandshakeRate {
  readonly #perSecond: number;
  #left: number;
  #at: number | null = null;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
  }

  /** Whether one more may begin at a time in milliseconds that never goes back. */
  take(now: number): boolean {
    const passed = this.#at === null ? 0 : now - this.#at;
    this.#at = now;
    this.#left = Math.min(this.#perSecond, this.#left + (passed * this.#perSecond) / 1000);
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
