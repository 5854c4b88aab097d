import type { Clock, Deadline, DeadlineWheel } from "@mixerless/clock";

/** A stream on which something has to happen from time to time. */
export interface WatchedStream {
  /** Milliseconds. */
  readonly idleTimeout: number;
  /** `Clock.monotonic()` of the last byte, either way. */
  readonly lastActivity: number;
  onIdle(): void;
}

/**
 * Looks for idle streams of one connection. It keeps one deadline, from stream to stream, and looks when that fires:
 * on a connection that is used again and again a stream costs no deadline, and a byte does not move any.
 */
export class StreamIdleWatch {
  readonly #clock: Clock;
  readonly #wheel: DeadlineWheel;
  readonly #streams: WatchedStream[] = [];
  #deadline: Deadline | null = null;
  /** When the deadline fires. */
  #due = 0;

  constructor(clock: Clock, wheel: DeadlineWheel) {
    this.#clock = clock;
    this.#wheel = wheel;
  }

  /** Watches the stream, by another limit too if it is watched already. */
  watch(stream: WatchedStream): void {
    if (!this.#streams.includes(stream)) this.#streams.push(stream);
    this.#lookAt(stream.lastActivity + stream.idleTimeout);
  }

  release(stream: WatchedStream): void {
    const at = this.#streams.indexOf(stream);
    if (at < 0) return;
    const last = this.#streams.pop();
    if (last !== undefined && last !== stream) this.#streams[at] = last;
  }

  close(): void {
    this.#deadline?.cancel();
    this.#deadline = null;
    this.#streams.length = 0;
  }

  #lookAt(time: number): void {
    if (this.#deadline !== null && this.#due <= time) return;
    this.#deadline?.cancel();
    this.#due = time;
    this.#deadline = this.#wheel.after(time - this.#clock.monotonic(), () => this.#look());
  }

  #look(): void {
    this.#deadline = null;
    const now = this.#clock.monotonic();
    for (const stream of this.#streams.slice()) {
      const due = stream.lastActivity + stream.idleTimeout;
      if (due > now) {
        this.#lookAt(due);
      } else {
        this.release(stream);
        stream.onIdle();
      }
    }
  }
}
