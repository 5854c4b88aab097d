import type { Deadline, DeadlineWheel } from "@mixerless/clock";
import type { RequestTimeouts } from "./timeouts.ts";

export interface ResponseTimerTarget {
  onTotalTimeout(): void;
  /** `details`: the response code details of the limit that was reached. */
  onPerTryTimeout(details: string): void;
  onStreamDurationReached(): void;
}

/** The clocks that run while a response is waited for. Made only where there is a limit. */
export class ResponseTimers {
  readonly #wheel: DeadlineWheel;
  readonly #timeouts: RequestTimeouts;
  readonly #target: ResponseTimerTarget;
  #total: Deadline | null = null;
  #perTry: Deadline | null = null;
  #perTryIdle: Deadline | null = null;
  #stream: Deadline | null = null;

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

  /** An attempt has its connection. */
  startStream(): void {
    const { stream } = this.#timeouts;
    if (stream > 0) this.#stream ??= this.#wheel.after(stream, () => this.#target.onStreamDurationReached());
  }

  /** The request has left wholly for its host. */
  startTry(): void {
    const { perTry } = this.#timeouts;
    if (perTry > 0)
      this.#perTry ??= this.#wheel.after(perTry, () => this.#target.onPerTryTimeout("upstream_per_try_timeout"));
    if (this.#perTryIdle === null) this.#startIdle();
  }

  /** The attempt will not be followed by another one. */
  responseStarted(): void {
    this.#perTry?.cancel();
    this.#perTry = null;
    this.touch();
  }

  /** Something of the response has come. */
  touch(): void {
    if (this.#perTryIdle === null) return;
    this.#perTryIdle.cancel();
    this.#startIdle();
  }

  /** The attempt is over. */
  stopTry(): void {
    this.#perTry?.cancel();
    this.#perTry = null;
    this.#perTryIdle?.cancel();
    this.#perTryIdle = null;
    this.#stream?.cancel();
    this.#stream = null;
  }

  close(): void {
    this.#total?.cancel();
    this.stopTry();
  }

  #startIdle(): void {
    const { perTryIdle } = this.#timeouts;
    if (perTryIdle === 0) return;
    const reached = () => this.#target.onPerTryTimeout("upstream_per_try_idle_timeout");
    this.#perTryIdle = this.#wheel.after(perTryIdle, reached);
  }
}
