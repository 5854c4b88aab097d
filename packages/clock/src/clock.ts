/** A pending call of a {@link Clock}. */
export interface Timer {
  /** Prevents the call. Cancelling twice, or after the call, does nothing. */
  cancel(): void;
}

/**
 * The only source of time. Everything that asks for the date, measures a duration or waits takes a
 * Clock as an argument, so that its tests can run in virtual time.
 */
export interface Clock {
  /** Wall-clock time, milliseconds since the epoch. May jump. For time stamps only. */
  now(): number;
  /** Monotonic time in milliseconds with a fraction; its zero has no meaning. For durations. */
  monotonic(): number;
  /** Calls `callback` once, `delay` milliseconds from now. Never keeps the process alive. */
  after(delay: number, callback: () => void): Timer;
  /** Calls `callback` every `interval` milliseconds. Never keeps the process alive. */
  every(interval: number, callback: () => void): Timer;
}
