import type { Clock, Timer } from "@mixerless/clock";
import type { AccessLogSink, AccessLogSinks } from "./sink.ts";

/** Writes a batch and calls `done` once, later. Batches of one writer never overlap. */
export interface BatchWriter {
  write(batch: Buffer, done: (error: Error | null) => void): void;
  /** Later batches go to what the path names then. Nothing is being written when this is called. */
  reopen(): void;
  /** Nothing is being written when this is called. */
  close(): void;
}

export interface BatchingOptions {
  readonly clock: Clock;
  readonly openWriter: (path: string) => BatchWriter;
  /** A line waits no longer than this, milliseconds. */
  readonly flushInterval?: number;
  /** A batch of this many bytes leaves at once. */
  readonly batchBytes?: number;
  /** Lines beyond this are dropped while the writer does not keep up. */
  readonly limitBytes?: number;
  /** Called with the number of lines that were given up because the writer was too slow or failed. */
  readonly onDropped?: (lines: number) => void;
}

/** Sinks that collect lines and write them in batches. */
export class BatchingSinks implements AccessLogSinks {
  readonly #options: BatchingOptions;
  readonly #sinks = new Map<string, BatchingSink>();

  constructor(options: BatchingOptions) {
    this.#options = options;
  }

  file(path: string): AccessLogSink {
    let sink = this.#sinks.get(path);
    if (sink === undefined) {
      sink = new BatchingSink(this.#options.openWriter(path), this.#options);
      this.#sinks.set(path, sink);
    }
    return sink;
  }

  /** Lines given up by all sinks because their writer was too slow or failed. */
  get dropped(): number {
    let dropped = 0;
    for (const sink of this.#sinks.values()) dropped += sink.dropped;
    return dropped;
  }

  /** After a rotation: lines that are not on their way yet go to newly opened files. */
  reopen(): void {
    for (const sink of this.#sinks.values()) sink.reopen();
  }

  /** Hands over what is left and closes every writer once it is written. */
  close(): void {
    for (const sink of this.#sinks.values()) sink.close();
  }
}

const NOTHING = Buffer.alloc(0);
const SLACK = 4096;

class BatchingSink implements AccessLogSink {
  readonly #writer: BatchWriter;
  readonly #clock: Clock;
  readonly #interval: number;
  readonly #batchBytes: number;
  readonly #limitBytes: number;
  /** Bytes and not text: pieces of lines that wait in a string would be moved by every collection of garbage. */
  #batch = NOTHING;
  #length = 0;
  /** What the next batch may need, by the last one. */
  #expected = SLACK;
  #lines = 0;
  #writing = false;
  #closed = false;
  #reopen = false;
  #timer: Timer | null = null;
  readonly #onDropped: (lines: number) => void;
  #dropped = 0;

  constructor(writer: BatchWriter, options: BatchingOptions) {
    this.#writer = writer;
    this.#onDropped = options.onDropped ?? (() => {});
    this.#clock = options.clock;
    this.#interval = options.flushInterval ?? 250;
    this.#batchBytes = options.batchBytes ?? 32 * 1024;
    this.#limitBytes = options.limitBytes ?? 8 * 1024 * 1024;
  }

  write(line: string): void {
    if (this.#closed || this.#length + line.length > this.#limitBytes) {
      this.#drop(1);
      return;
    }
    this.#makeRoom(line.length);
    this.#length += this.#batch.write(line, this.#length, "latin1");
    this.#lines++;
    if (this.#length >= this.#batchBytes) this.#flush();
    else if (this.#timer === null && !this.#writing)
      this.#timer = this.#clock.after(this.#interval, () => this.#flush());
  }

  get dropped(): number {
    return this.#dropped;
  }

  reopen(): void {
    if (this.#writing) this.#reopen = true;
    else this.#writer.reopen();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#flush();
    if (!this.#writing) this.#writer.close();
  }

  #makeRoom(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#batch.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#expected, 2 * this.#batch.length));
    this.#batch.copy(grown, 0, 0, this.#length);
    this.#batch = grown;
  }

  #drop(lines: number): void {
    this.#dropped += lines;
    this.#onDropped(lines);
  }

  #flush(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#writing || this.#lines === 0) return;
    const batch = this.#batch.subarray(0, this.#length);
    const lines = this.#lines;
    this.#expected = Math.min(this.#length, this.#batchBytes) + SLACK;
    this.#batch = NOTHING;
    this.#length = 0;
    this.#lines = 0;
    this.#writing = true;
    this.#writer.write(batch, (error) => this.#written(lines, error));
  }

  #written(lines: number, error: Error | null): void {
    this.#writing = false;
    if (error !== null) this.#drop(lines);
    if (this.#reopen) this.#writer.reopen();
    this.#reopen = false;
    if (this.#lines > 0) this.#flush();
    else if (this.#closed) this.#writer.close();
  }
}
