import type { StreamInfo } from "../stream/stream-info.ts";
import type { Transport, TransportHandler } from "../transport/transport.ts";
import type { ConnectionFilter } from "./connection-filter.ts";

const NOTHING = Buffer.alloc(0);

/** What takes the frame of a peer's metadata off the front of its bytes. */
export interface FrontFrame {
  tell(transport: Transport): void;
  read(buffer: Buffer, start: number, end: number): Buffer;
  finish(): Buffer;
  readonly over: boolean;
}

/** One filter of a connection, and how much of it has come to an end there. */
interface Place {
  readonly filter: ConnectionFilter;
  /** The end of the client's bytes has come to it, and has been passed on by it. */
  readEnds: boolean;
  readEnded: boolean;
  writeEnds: boolean;
  writeEnded: boolean;
}

/**
 * A connection seen through filters: what is read passes them from the first to the last, what is written from the last
 * to the first. What is written in one turn comes to them as one piece, as a codec of HTTP writes many small ones.
 */
export class FilteredTransport implements Transport, TransportHandler {
  readonly #inner: Transport;
  readonly #info: StreamInfo;
  readonly #places: readonly Place[];
  #frame: FrontFrame | null;
  #handler: TransportHandler | null = null;
  /** Nothing is read before the filters have let the connection in. */
  #admitted = false;
  #paused = false;
  /** The filters have let it go, and whoever is behind them doesn't read now. */
  #ready: Buffer[] = [];
  #readyEnds = false;
  #endDelivered = false;
  #delivering = false;
  #written: Buffer[] = [];
  #writtenSize = 0;
  #writing = false;
  #ended = false;
  #destroyed = false;
  #closing = false;
  #over = false;
  #peerEnded = false;
  #closedByUs = false;
  /** Told first when the connection is gone. */
  onOver: () => void = () => {};

  constructor(inner: Transport, info: StreamInfo, filters: readonly ConnectionFilter[], frame: FrontFrame | null) {
    this.#inner = inner;
    this.#info = info;
    this.#places = filters.map((filter) => ({
      ...{ filter, readEnds: false, readEnded: false, writeEnds: false, writeEnded: false },
    }));
    this.#frame = frame;
    inner.pause();
    inner.setHandler(this);
  }

  get connection() {
    return this.#inner.connection;
  }
  get congested(): boolean {
    return this.#inner.congested;
  }
  get unsent(): number {
    return this.#writtenSize + this.#inner.unsent;
  }
  get writable(): boolean {
    return !this.#ended && !this.#destroyed && this.#inner.writable;
  }
  get bytesRead(): number {
    return this.#inner.bytesRead;
  }
  get bytesWritten(): number {
    return this.#inner.bytesWritten;
  }

  // For the terminal filter.

  setHandler(handler: TransportHandler): void {
    this.#handler = handler;
    if (this.#over) queueMicrotask(() => handler.onClose(null));
  }

  append(buffer: Buffer, start: number, end: number): void {
    if (this.writable) this.#gather(Buffer.from(buffer.subarray(start, end)));
  }

  appendLatin1(text: string): void {
    if (this.writable) this.#gather(Buffer.from(text, "latin1"));
  }

  flush(): void {
    this.#passWritten();
    this.#inner.flush();
  }

  end(): void {
    if (!this.writable) return;
    this.#ended = true;
    if (this.#peerEnded) this.#closedByUs = true;
    this.#passWritten();
  }

  destroy(error?: Error): void {
    this.#destroyed = true;
    this.#closedByUs = true;
    this.#inner.destroy(error);
  }

  pause(): void {
    this.#paused = true;
    this.#inner.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#deliverLater();
    this.#steer();
  }

  // For the filters.

  /** From now on bytes are read. */
  admit(): void {
    this.#admitted = true;
    this.#steer();
  }

  /** Nothing of the client goes on any more. */
  stop(): void {
    this.#closing = true;
    this.#closedByUs = true;
    this.#inner.pause();
  }

  /** Ends it once what has passed the filters is sent. */
  endSent(): void {
    this.#inner.end();
  }

  /** A filter lets go of what it holds of the client's bytes. */
  release(filter: ConnectionFilter): void {
    queueMicrotask(() => {
      const at = this.#places.findIndex((place) => place.filter === filter);
      const place = this.#places[at];
      if (place === undefined || this.#over || this.#closing || place.readEnded) return;
      place.readEnded = place.readEnds;
      this.#read(at + 1, filter.takeRead(), place.readEnds);
      this.#steer();
    });
  }

  releaseWrites(filter: ConnectionFilter): void {
    queueMicrotask(() => {
      const at = this.#places.findIndex((place) => place.filter === filter);
      const place = this.#places[at];
      if (place === undefined || this.#over || place.writeEnded) return;
      place.writeEnded = place.writeEnds;
      this.#write(at - 1, filter.takeWrite(), place.writeEnds);
    });
  }

  // From the connection.

  onData(buffer: Buffer, start: number, end: number): void {
    const frame = this.#frame;
    let bytes = buffer.subarray(start, end);
    if (frame !== null) {
      frame.tell(this.#inner);
      bytes = frame.read(buffer, start, end);
      if (frame.over) this.#frame = null;
    }
    this.#info.bytesReceived += bytes.length;
    this.#read(0, bytes, false);
    this.#steer();
  }

  onEnd(): void {
    const held = this.#frame?.finish() ?? NOTHING;
    this.#frame = null;
    this.#info.bytesReceived += held.length;
    this.#peerEnded = true;
    this.#read(0, held, true);
  }

  onDrain(): void {
    this.#handler?.onDrain();
  }

  onClose(error: Error | null): void {
    if (this.#over) return;
    this.#over = true;
    this.onOver();
    for (const { filter } of this.#places) filter.onClosed(!this.#closedByUs);
    // Whoever is behind the filters has seen no end of the client's bytes where one of them held it.
    const undelivered = error === null && !this.#endDelivered && !this.#closedByUs;
    this.#handler?.onClose(undelivered ? new Error("closed while its end was held back") : error);
  }

  #read(from: number, bytes: Buffer, end: boolean): void {
    let piece = bytes;
    for (let i = from; i < this.#places.length; i++) {
      if (piece.length === 0 && !end) return;
      const place = this.#places[i] as Place;
      if (end) place.readEnds = true;
      const passed = place.filter.onRead(piece, end);
      if (this.#over || this.#closing || passed === null) return;
      if (end) place.readEnded = true;
      piece = passed;
    }
    this.#deliver(piece, end);
  }

  #deliver(piece: Buffer, end: boolean): void {
    if (this.#handler === null || this.#paused || this.#ready.length > 0) {
      if (piece.length > 0) this.#ready.push(Buffer.from(piece));
      this.#readyEnds ||= end;
      return;
    }
    if (piece.length > 0) this.#handler.onData(piece, 0, piece.length);
    if (end) this.#deliverEnd(this.#handler);
  }

  #deliverEnd(handler: TransportHandler): void {
    this.#endDelivered = true;
    handler.onEnd();
  }

  #deliverLater(): void {
    if (this.#delivering || (this.#ready.length === 0 && !this.#readyEnds)) return;
    this.#delivering = true;
    queueMicrotask(() => {
      this.#delivering = false;
      this.#deliverReady();
    });
  }

  #deliverReady(): void {
    while (!this.#paused && !this.#over && this.#ready.length > 0) {
      const piece = this.#ready.shift() as Buffer;
      this.#handler?.onData(piece, 0, piece.length);
    }
    if (this.#readyEnds && this.#ready.length === 0 && !this.#paused && !this.#over) {
      this.#readyEnds = false;
      if (this.#handler !== null) this.#deliverEnd(this.#handler);
    }
    this.#steer();
  }

  /** Reads on, or not. */
  #steer(): void {
    if (this.#over || this.#destroyed) return;
    const full = this.#places.some(({ filter }) => filter.full);
    if (this.#paused || full || !this.#admitted || this.#closing || this.#ready.length > 0) this.#inner.pause();
    else this.#inner.resume();
  }

  #gather(bytes: Buffer): void {
    this.#written.push(bytes);
    this.#writtenSize += bytes.length;
    if (this.#writing) return;
    this.#writing = true;
    queueMicrotask(() => {
      this.#writing = false;
      this.#passWritten();
    });
  }

  #passWritten(): void {
    if (this.#over || this.#destroyed) return;
    const [first = NOTHING] = this.#written;
    const bytes = this.#written.length > 1 ? Buffer.concat(this.#written) : first;
    this.#written = [];
    this.#writtenSize = 0;
    this.#write(this.#places.length - 1, bytes, this.#ended);
  }

  #write(from: number, bytes: Buffer, end: boolean): void {
    let piece = bytes;
    for (let i = from; i >= 0; i--) {
      const place = this.#places[i] as Place;
      const ends = end && !place.writeEnds;
      if (piece.length === 0 && !ends) return;
      if (ends) place.writeEnds = true;
      const passed = place.filter.onWrite(piece, ends);
      if (this.#over || passed === null) return;
      if (ends) place.writeEnded = true;
      piece = passed;
    }
    this.#info.bytesSent += piece.length;
    if (piece.length > 0) this.#inner.append(piece, 0, piece.length);
    if (end) this.#inner.end();
  }
}
