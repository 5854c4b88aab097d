import type { Deadline, DeadlineWheel } from "@mixerless/clock";
import type { StreamIdleWatch, WatchedStream } from "./stream-idle-watch.ts";

/** What expires. */
export interface StreamTimerTarget {
  onIdleTimeout(): void;
  onRequestTimeout(): void;
  onMaxDuration(): void;
}

/** The limits of one stream. Made only where at least one is set: Istio's configurations switch all of them off. */
export class StreamTimers implements WatchedStream {
  readonly #idleWatch: StreamIdleWatch;
  readonly #wheel: DeadlineWheel;
  readonly #target: StreamTimerTarget;
  #requestDeadline: Deadline | null = null;
  #durationDeadline: Deadline | null = null;
  idleTimeout = 0;
  lastActivity = 0;

  constructor(idleWatch: StreamIdleWatch, wheel: DeadlineWheel, target: StreamTimerTarget) {
    this.#idleWatch = idleWatch;
    this.#wheel = wheel;
    this.#target = target;
  }

  /** Milliseconds; 0: none. */
  startIdle(timeout: number, now: number): void {
    this.idleTimeout = timeout;
    this.lastActivity = now;
    if (timeout > 0) this.#idleWatch.watch(this);
    else this.#idleWatch.release(this);
  }

  startRequest(timeout: number): void {
    if (timeout > 0) this.#requestDeadline = this.#wheel.after(timeout, () => this.#target.onRequestTimeout());
  }

  startDuration(timeout: number): void {
    this.#durationDeadline?.cancel();
    this.#durationDeadline = timeout > 0 ? this.#wheel.after(timeout, () => this.#target.onMaxDuration()) : null;
  }

  touch(now: number): void {
    this.lastActivity = now;
  }

  requestComplete(): void {
    this.#requestDeadline?.cancel();
    this.#requestDeadline = null;
  }

  close(): void {
    this.#idleWatch.release(this);
    this.#requestDeadline?.cancel();
    this.#durationDeadline?.cancel();
  }

  onIdle(): void {
    this.#target.onIdleTimeout();
  }
}
