export interface BackoffOptions {
  /** Milliseconds of the first pause. */
  readonly first: number;
  /** No pause is longer. */
  readonly most: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** Pauses that double, each shortened by up to half so that many who failed together don't come back together. */
export class Backoff {
  readonly #options: BackoffOptions;
  #next: number;

  constructor(options: BackoffOptions) {
    this.#options = options;
    this.#next = options.first;
  }

  /** Milliseconds until the next attempt. */
  pause(): number {
    const { most, random } = this.#options;
    const whole = Math.min(this.#next, most);
    this.#next = Math.min(whole * 2, most);
    return whole * (1 - random() / 2);
  }

  /** After a success. */
  reset(): void {
    this.#next = this.#options.first;
  }
}
