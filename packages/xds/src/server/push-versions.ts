import type { Clock } from "@mixerless/clock";

/**
 * Versions of pushes and nonces of responses, unique within a process and, because they begin with the
 * time, across restarts: a client that reconnects with a nonce of yesterday never hits one of today.
 */
export class PushVersions {
  readonly #clock: Clock;
  #pushes = 0;
  #responses = 0;
  #current = "";

  constructor(clock: Clock) {
    this.#clock = clock;
    this.advance();
  }

  /** Version of the newest push: `<RFC 3339 time>/<counter>` [control-plane §5.3]. */
  get current(): string {
    return this.#current;
  }

  /** Begins a new push. Its counter is higher than that of every push before it. */
  advance(): string {
    this.#pushes += 1;
    this.#current = `${new Date(this.#clock.now()).toISOString()}/${this.#pushes}`;
    return this.#current;
  }

  /** A nonce that no other response of this process has. */
  nonce(version: string): string {
    this.#responses += 1;
    return `${version}/${this.#responses.toString(36)}`;
  }
}
