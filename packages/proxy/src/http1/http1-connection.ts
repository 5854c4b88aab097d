import type { Transport, TransportHandler } from "../transport/transport.ts";
import { Remainder } from "./remainder.ts";

/**
 * Feeds a connection's bytes to a state machine, step by step. Bytes that cannot be used yet, because a
 * head is incomplete or because whoever takes them has stopped, are kept, and the transport is paused
 * while there is nothing to do with more: what a connection keeps is bounded by one head and one read.
 */
export abstract class Http1Connection implements TransportHandler {
  readonly transport: Transport;
  /** No byte that arrives now will be used. */
  protected over = false;
  #rest: Remainder | null = null;
  #pausedTransport = false;
  #scheduled = false;

  constructor(transport: Transport) {
    this.transport = transport;
  }

  /** Uses some of the bytes; returns the position after them, or a negative number when it needs more. */
  protected abstract step(buffer: Buffer, start: number, end: number): number;
  /** True while bytes have to wait. */
  protected abstract held(): boolean;
  /** True when reading has been stopped, whether bytes wait or not. */
  protected abstract stopped(): boolean;
  /** Bytes from which on an incomplete line, after others or not, is looked at again: it may be too long. */
  protected abstract lineLimit(first: boolean): number;

  abstract onDrain(): void;
  abstract onEnd(): void;
  abstract onClose(error: Error | null): void;

  onData(buffer: Buffer, start: number, end: number): void {
    const rest = this.#rest;
    if (rest === null) {
      const pos = this.#run(buffer, start, end);
      if (pos < end) this.#rest = new Remainder(buffer, pos, end);
      this.#adjust();
      return;
    }
    // An incomplete line is not looked at byte by byte: that would cost the square of its length.
    if (rest.append(buffer, start, end) || rest.end - rest.start >= this.lineLimit(!rest.hasLine)) this.#runRest();
  }

  /** Incomplete or waiting bytes, for the log of a refused request; null when there are none. */
  protected get rest(): Remainder | null {
    return this.#rest;
  }

  protected dropRest(): void {
    this.#rest = null;
  }

  /** To be called when {@link held} or {@link stopped} may have changed. Never runs a step itself. */
  protected changed(): void {
    if (this.#rest === null || this.held() || this.over) {
      this.#adjust();
      return;
    }
    if (this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(() => {
      this.#scheduled = false;
      if (!this.over) this.#runRest();
    });
  }

  #runRest(): void {
    const rest = this.#rest;
    if (rest === null) return;
    rest.start = this.#run(rest.bytes, rest.start, rest.end);
    if (rest.start === rest.end && this.#rest === rest) this.#rest = null;
    this.#adjust();
  }

  #run(buffer: Buffer, start: number, end: number): number {
    let pos = start;
    while (pos < end && !this.over && !this.held()) {
      const next = this.step(buffer, pos, end);
      if (next < 0) break;
      pos = next;
    }
    return this.over ? end : pos;
  }

  #adjust(): void {
    const pause = !this.over && (this.stopped() || (this.#rest !== null && this.held()));
    if (pause === this.#pausedTransport) return;
    this.#pausedTransport = pause;
    if (pause) this.transport.pause();
    else this.transport.resume();
  }
}
