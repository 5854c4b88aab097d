import type { Deadline, DeadlineWheel } from "@mixerless/clock";
import type { RequestTimeouts } from "./timeouts.ts";

export interface ResponseTimerTarget {
  onTotalTimeout(): void;
  onPerTryTimeout(): void;
}

/** The clocks that run while a response is waited for. Made only where the route sets a limit. */
export class ResponseTimers {
  readonly #wheel: DeadlineWheel;
  readonly #timeouts: RequestTimeouts;
  readonly #target: ResponseTimerTarget;
  #total: Deadline | null = null;
  #perTry: Deadline | null = null;

  constructor(wheel: DeadlineWheel, timeouts: RequestTimeouts, target: ResponseTimerTarget) {
    this.#wheel = wheel;
    this.#timeouts = timeouts;
    this.#target = target;
  }

  /** The request has arrived wholly; counts once. */
  startTotal(): void {
    const { total } = this.#timeouts;
    if (total > 0) this.#total ??= this.#wheel.after(total, () => this.#target.onTotalTimeout());
  }

  /** The request has left wholly for its host. */
  startTry(): void {
    const { perTry } = this.#timeouts;
    if (perTry > 0) this.#perTry ??= this.#wheel.after(perTry, () => this.#target.onPerTryTimeout());
  }

  stopTry(): void {
    this.#perTry?.cancel();
    this.#perTry = null;
  }

  close(): void {
    this.#total?.cancel();
    this.stopTry();
  }
}
