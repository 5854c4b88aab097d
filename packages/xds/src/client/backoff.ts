/** Waiting times between attempts, in milliseconds. */
export interface BackoffOptions {
  readonly initial: number;
  readonly maximum: number;
}

export const DEFAULT_BACKOFF: BackoffOptions = { initial: 250, maximum: 15_000 };

/** Doubles from attempt to attempt, with full jitter above half, so that many clients do not come back at once. */
export class Backoff {
  readonly #options: BackoffOptions;
  readonly #random: () => number;
  #attempts = 0;

  constructor(options: BackoffOptions, random: () => number) {
    this.#options = options;
    this.#random = random;
  }

  next(): number {
    const full = Math.min(this.#options.maximum, this.#options.initial * 2 ** this.#attempts);
    this.#attempts = Math.min(this.#attempts + 1, 16);
    return full / 2 + (this.#random() * full) / 2;
  }

  /** After something worked. */
  reset(): void {
    this.#attempts = 0;
  }
}
