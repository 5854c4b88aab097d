import type { Duplex } from "node:stream";
import { copyBytes, writeLatin1 } from "./copy-bytes.ts";
import type { DirectWriter } from "./direct-socket.ts";
import type { Flushable, FlushQueue } from "./flush-queue.ts";
import type { ScratchPool } from "./scratch-pool.ts";
import type { ConnectionInfo, Transport, TransportHandler } from "./transport.ts";

/** What the transports of one factory share. */
export interface TransportShares {
  readonly scratches: ScratchPool;
  readonly flushes: FlushQueue;
  /** Unsent bytes above which a transport is congested, and at or below which it is no longer. */
  readonly highWatermark: number;
  readonly lowWatermark: number;
}

/**
 * A {@link Transport} over one of Node's duplex streams: a TCP or Unix socket, or a TLS socket. Uses
 * public API only [performance §5.1].
 *
 * Bytes come either from the stream's `data` events or, where the socket reads into a buffer of ours
 * (`onread`), by {@link deliver}.
 */
export class StreamTransport implements Transport, Flushable {
  readonly connection: ConnectionInfo;
  bytesRead = 0;
  bytesWritten = 0;

  readonly #stream: Duplex;
  readonly #shares: TransportShares;
  readonly #emitsData: boolean;
  /** The short way for writes that the system takes at once; null: there is none. */
  readonly #writer: DirectWriter | null;
  #handler: TransportHandler | null = null;

  #scratch: Buffer | null = null;
  #filled = 0;
  #queued = false;
  /** Scratches that the kernel has not taken over completely. */
  #inFlight: Buffer[] | null = null;
  /** Bytes that the system had not taken after the last write. */
  #held = 0;
  #congested = false;
  #onWritten: (() => void) | null = null;

  #open = true;
  #paused = false;
  #endWaits = false;
  #error: Error | null = null;
  #closed = false;

  constructor(
    stream: Duplex,
    connection: ConnectionInfo,
    shares: TransportShares,
    emitsData: boolean,
    writer: DirectWriter | null = null,
  ) {
    this.#stream = stream;
    this.#writer = writer;
    this.connection = connection;
    this.#shares = shares;
    this.#emitsData = emitsData;
    stream.on("end", () => this.#ended());
    stream.on("error", (error: Error) => {
      this.#error ??= error;
    });
    stream.on("close", () => this.#gone());
  }

  /** Reading starts with the first handler. */
  setHandler(handler: TransportHandler): void {
    const first = this.#handler === null;
    this.#handler = handler;
    if (!first) return;
    if (this.#closed) {
      process.nextTick(() => this.#handler?.onClose(this.#error));
      return;
    }
    if (this.#emitsData) this.#stream.on("data", (chunk: Buffer) => this.deliver(chunk, 0, chunk.length));
    if (!this.#paused) this.#stream.resume();
    if (this.#endWaits) process.nextTick(() => this.#deliverEnd());
  }

  get hasHandler(): boolean {
    return this.#handler !== null;
  }

  /** Passes on bytes that the stream has read. */
  deliver(buffer: Buffer, start: number, end: number): void {
    this.bytesRead += end - start;
    this.#handler?.onData(buffer, start, end);
  }

  append(buffer: Buffer, start: number, end: number): void {
    if (!this.#open) return;
    this.#weigh(end - start);
    let from = start;
    while (from < end) {
      const scratch = this.#scratch ?? this.#takeScratch();
      const to = Math.min(end, from + scratch.length - this.#filled);
      copyBytes(buffer, from, to, scratch, this.#filled);
      this.#filled += to - from;
      from = to;
      if (this.#filled === scratch.length) this.flush();
    }
  }

  appendLatin1(text: string): void {
    if (!this.#open) return;
    const scratch = this.#scratch ?? this.#takeScratch();
    if (text.length > scratch.length - this.#filled) {
      this.append(Buffer.from(text, "latin1"), 0, text.length);
      return;
    }
    this.#weigh(text.length);
    writeLatin1(text, scratch, this.#filled);
    this.#filled += text.length;
  }

  flush(): void {
    this.#queued = false;
    const scratch = this.#scratch;
    if (scratch === null) return;
    const length = this.#filled;
    this.#scratch = null;
    this.#filled = 0;
    const stream = this.#stream;
    if (length === 0 || !stream.writable) {
      this.#shares.scratches.give(scratch);
      return;
    }
    this.bytesWritten += length;
    if (this.#writer !== null && !this.#congested && this.#writer.idle) {
      this.#writer.write(scratch, length);
      this.#held = this.#writer.unsent;
      return;
    }
    this.#writeToStream(scratch, length);
  }

  #writeToStream(scratch: Buffer, length: number): void {
    const stream = this.#stream;
    const backlog = stream.writableLength > 0;
    if (!backlog && this.#inFlight !== null) this.#reclaim(this.#inFlight);
    let bytes = scratch.subarray(0, length);
    // Behind a backlog the stream only queues: many short messages must not pin a scratch each.
    const copied = backlog && length < scratch.length / 2;
    if (copied) bytes = Buffer.from(bytes);
    if (this.#congested) {
      this.#onWritten ??= () => this.#drained();
      stream.write(bytes, this.#onWritten);
    } else {
      stream.write(bytes);
    }
    this.#held = this.#unsentByStream();
    // Length 0 says that the kernel took everything; otherwise the stream still reads from the scratch.
    if (copied || stream.writableLength === 0) this.#shares.scratches.give(scratch);
    else if (this.#inFlight === null) this.#inFlight = [scratch];
    else this.#inFlight.push(scratch);
  }

  get congested(): boolean {
    return this.#congested && this.writable;
  }

  get unsent(): number {
    return this.#filled + this.#unsentByStream();
  }

  get writable(): boolean {
    return this.#open && this.#stream.writable;
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#stream.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#handler === null) return;
    this.#stream.resume();
    if (this.#endWaits) process.nextTick(() => this.#deliverEnd());
  }

  end(): void {
    if (!this.#open) return;
    this.flush();
    this.#open = false;
    this.#stream.end();
  }

  destroy(error?: Error): void {
    this.#open = false;
    if (this.#scratch !== null) this.#shares.scratches.give(this.#scratch);
    this.#scratch = null;
    this.#filled = 0;
    this.#stream.destroy(error);
  }

  #takeScratch(): Buffer {
    if (!this.#queued) {
      // Before there is a scratch: the queue may flush those that it holds, and an earlier entry of this one with them.
      this.#shares.flushes.add(this);
      this.#queued = true;
    }
    const scratch = this.#shares.scratches.take();
    this.#scratch = scratch;
    return scratch;
  }

  #unsentByStream(): number {
    return this.#stream.writableLength + (this.#writer === null ? 0 : this.#writer.unsent);
  }

  /** Notices congestion before `more` bytes are added, so that the write which carries them reports back. */
  #weigh(more: number): void {
    const { highWatermark } = this.#shares;
    if (this.#filled + this.#held + more <= highWatermark || this.#congested) return;
    this.#held = this.#unsentByStream();
    this.#congested = this.#filled + this.#held + more > highWatermark;
  }

  /** Called by the stream after a write that was made while congested, or when that write failed. */
  #drained(): void {
    if (!this.#congested || !this.writable) return;
    this.#held = this.#unsentByStream();
    if (this.#held + this.#filled > this.#shares.lowWatermark) return;
    this.#congested = false;
    this.#handler?.onDrain();
  }

  #reclaim(scratches: Buffer[]): void {
    for (const scratch of scratches) this.#shares.scratches.give(scratch);
    this.#inFlight = null;
  }

  #ended(): void {
    this.#endWaits = true;
    if (!this.#paused && this.#handler !== null) this.#deliverEnd();
  }

  #deliverEnd(): void {
    if (!this.#endWaits || this.#paused || this.#closed) return;
    this.#endWaits = false;
    this.#handler?.onEnd();
  }

  #gone(): void {
    this.#closed = true;
    this.#open = false;
    this.#inFlight = null;
    this.#handler?.onClose(this.#error);
  }
}
