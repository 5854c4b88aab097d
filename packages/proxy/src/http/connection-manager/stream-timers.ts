import type { Clock, Deadline, DeadlineWheel } from "@mixerless/clock";

/** What expires. */
export interface StreamTimerTarget {
  onIdleTimeout(): void;
  onRequestTimeout(): void;
  onMaxDuration(): void;
}

/**
 * The limits of one stream. Made only where at least one is set: Istio's configurations switch all of them off.
 * The idle limit keeps one deadline and looks at the last activity when it fires, instead of moving it with each byte.
 */
export class StreamTimers {
  readonly #clock: Clock;
  readonly #wheel: DeadlineWheel;
  readonly #target: StreamTimerTarget;
  #idle = 0;
  #lastActivity = 0;
  #idleDeadline: Deadline | null = null;
  #requestDeadline: Deadline | null = null;
  #durationDeadline: Deadline | null = null;

  constructor(clock: Clock, wheel: DeadlineWheel, target: StreamTimerTarget) {
    this.#clock = clock;
    this.#wheel = wheel;
    this.#target = target;
  }

  /** Milliseconds; 0: none. */
  startIdle(timeout: number): void {
    this.#idle = timeout;
    this.#lastActivity = this.#clock.monotonic();
    this.#idleDeadline?.cancel();
    this.#idleDeadline = timeout > 0 ? this.#wheel.after(timeout, () => this.#checkIdle()) : null;
  }

  startRequest(timeout: number): void {
    if (timeout > 0) this.#requestDeadline = this.#wheel.after(timeout, () => this.#target.onRequestTimeout());
  }

  startDuration(timeout: number): void {
    this.#durationDeadline?.cancel();
    this.#durationDeadline = timeout > 0 ? this.#wheel.after(timeout, () => this.#target.onMaxDuration()) : null;
  }

  touch(): void {
    if (this.#idle > 0) this.#lastActivity = this.#clock.monotonic();
  }

  requestComplete(): void {
    this.#requestDeadline?.cancel();
    this.#requestDeadline = null;
  }

  close(): void {
    this.#idleDeadline?.cancel();
    this.#requestDeadline?.cancel();
    this.#durationDeadline?.cancel();
    this.#idle = 0;
  }

  #checkIdle(): void {
    if (this.#idle === 0) return;
    const left = this.#lastActivity + this.#idle - this.#clock.monotonic();
    if (left <= 0) this.#target.onIdleTimeout();
    else this.#idleDeadline = this.#wheel.after(left, () => this.#checkIdle());
  }
}
