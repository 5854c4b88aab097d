import type { StreamDecoder } from "../http/codec.ts";
import { ChunkReader } from "./chunk-reader.ts";
import type { Http1Fault } from "./fault.ts";
import { FAULTY, type FieldParser } from "./field-parser.ts";

/** The stream whose body is read. */
export interface BodyReceiver {
  readonly decoder: StreamDecoder;
  wireBytesReceived: number;
  /** The whole message has arrived. Set before the decoder is told. */
  incomingDone: boolean;
}

export const NO_BYTES = Buffer.alloc(0);

/** The body of the message that a connection receives now. */
export class IncomingBody {
  fault: Http1Fault | null = null;
  #left = 0;
  #chunks: ChunkReader | null = null;
  /** The bytes are not framed: a tunnel, or a body that ends with the connection. */
  #raw = false;

  /** `length` bytes, at least one. */
  beginLength(length: number): void {
    this.#left = length;
    this.#chunks = null;
    this.#raw = false;
  }

  beginChunks(): void {
    this.#chunks = new ChunkReader();
    this.#raw = false;
  }

  beginRaw(): void {
    this.#chunks = null;
    this.#raw = true;
  }

  /** A section of trailers may be incomplete: everything else can be used as it comes. */
  get atTrailers(): boolean {
    return this.#chunks?.last === true;
  }

  /**
   * Uses some of the bytes, telling the decoder at most once. Returns the position after them, MORE or
   * FAULTY; then `fault` says why.
   */
  step(buffer: Buffer, start: number, end: number, receiver: BodyReceiver, fields: FieldParser): number {
    if (this.#chunks !== null) return this.#stepChunks(this.#chunks, buffer, start, end, receiver, fields);
    let stop = end;
    if (!this.#raw) {
      stop = Math.min(end, start + this.#left);
      this.#left -= stop - start;
    }
    receiver.wireBytesReceived += stop - start;
    const last = !this.#raw && this.#left === 0;
    receiver.incomingDone = last;
    receiver.decoder.onData(buffer, start, stop, last);
    return stop;
  }

  #stepChunks(
    chunks: ChunkReader,
    buffer: Buffer,
    start: number,
    end: number,
    receiver: BodyReceiver,
    fields: FieldParser,
  ): number {
    if (chunks.last) return this.#trailers(buffer, start, end, receiver, fields);
    const next = chunks.next(buffer, start, end);
    receiver.wireBytesReceived += next - start;
    if (chunks.fault !== null) {
      this.fault = chunks.fault;
      return FAULTY;
    }
    if (chunks.dataEnd > chunks.dataStart) receiver.decoder.onData(buffer, chunks.dataStart, chunks.dataEnd, false);
    return next;
  }

  #trailers(buffer: Buffer, start: number, end: number, receiver: BodyReceiver, fields: FieldParser): number {
    fields.begin("trailers", start, 0);
    const next = fields.parse(buffer, start, end);
    if (next === FAULTY) this.fault = fields.fault;
    if (next < 0) return next;
    receiver.wireBytesReceived += next - start;
    receiver.incomingDone = true;
    this.#chunks = null;
    if (next === start + 2) receiver.decoder.onData(NO_BYTES, 0, 0, true);
    else receiver.decoder.onTrailers(fields.build(buffer, next));
    return next;
  }
}
