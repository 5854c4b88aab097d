import { socketAddress } from "../../transport/socket-address.ts";
import type { ConnectionInfo, Transport, TransportHandler } from "../../transport/transport.ts";

/** A transport whose other side is the test: it cuts what arrives where the test says, and shows what was sent. */
export class FakeTransport implements Transport {
  readonly connection: ConnectionInfo = {
    id: 1,
    localAddress: socketAddress("127.0.0.1", 80),
    remoteAddress: socketAddress("127.0.0.1", 40000),
    tls: null,
    requestedServerName: null,
  };
  congested = false;
  unsent = 0;
  paused = false;
  ended = false;
  destroyed = false;
  error: Error | null = null;
  bytesRead = 0;
  #sent: Buffer[] = [];
  #handler: TransportHandler | null = null;
  readonly #waiting: Buffer[] = [];
  #next = 0;
  #endWaits = false;
  #closed = false;
  /** As a socket's, the read buffer is used again for the next read. */
  readonly #readBuffer = Buffer.alloc(256 * 1024);

  setHandler(handler: TransportHandler): void {
    this.#handler = handler;
  }

  append(buffer: Buffer, start: number, end: number): void {
    if (this.writable) this.#sent.push(Buffer.from(buffer.subarray(start, end)));
  }

  appendLatin1(text: string): void {
    if (this.writable) this.#sent.push(Buffer.from(text, "latin1"));
  }

  flush(): void {}

  get writable(): boolean {
    return !this.ended && !this.destroyed;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    process.nextTick(() => this.#deliver());
  }

  end(): void {
    this.ended = true;
  }

  destroy(error?: Error): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.error = error ?? null;
    process.nextTick(() => this.#close());
  }

  get bytesWritten(): number {
    return this.output.length;
  }

  /** Everything sent so far, one char for each byte. */
  get output(): string {
    return Buffer.concat(this.#sent).toString("latin1");
  }

  takeOutput(): string {
    const { output } = this;
    this.#sent = [];
    return output;
  }

  /** Delivers the bytes, cut at the given offsets. */
  receive(bytes: Buffer | string, cuts: readonly number[] = []): void {
    const all = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
    let start = 0;
    for (const cut of [...cuts, all.length].sort((a, b) => a - b)) {
      if (cut > start) this.#waiting.push(all.subarray(start, cut));
      start = Math.max(start, cut);
    }
    this.#deliver();
  }

  /** The peer ends in order. */
  receiveEnd(): void {
    this.#endWaits = true;
    this.#deliver();
  }

  /** The connection is lost. */
  receiveError(error: Error): void {
    this.destroyed = true;
    this.error = error;
    this.#close();
  }

  drain(): void {
    this.congested = false;
    this.#handler?.onDrain();
  }

  #deliver(): void {
    while (!this.paused && !this.destroyed) {
      const bytes = this.#waiting[this.#next];
      if (bytes === undefined) break;
      this.#next++;
      // Not at offset 0: positions and lengths must not be confused.
      const start = 7;
      bytes.copy(this.#readBuffer, start);
      this.bytesRead += bytes.length;
      this.#handler?.onData(this.#readBuffer, start, start + bytes.length);
      this.#readBuffer.fill(0xff, start, start + bytes.length);
    }
    if (!this.#endWaits || this.paused || this.destroyed || this.#next < this.#waiting.length) return;
    this.#endWaits = false;
    this.#handler?.onEnd();
    if (this.ended) this.destroy();
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handler?.onClose(this.error);
  }
}
