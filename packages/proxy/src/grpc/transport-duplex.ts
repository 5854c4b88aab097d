import { Duplex } from "node:stream";
import type { Transport } from "../transport/transport.ts";

/** A transport as the stream that Node's HTTP/2 runs on. */
export class TransportDuplex extends Duplex {
  readonly #transport: Transport;
  #written: (() => void) | null = null;

  constructor(transport: Transport) {
    super();
    this.#transport = transport;
    transport.setHandler({
      onData: (buffer, start, end) => {
        if (!this.push(Buffer.from(buffer.subarray(start, end)))) transport.pause();
      },
      onDrain: () => this.#release(),
      onEnd: () => this.push(null),
      onClose: (error) => this.destroy(error ?? undefined),
    });
  }

  override _read(): void {
    this.#transport.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#transport.append(chunk, 0, chunk.length);
    if (this.#transport.congested) this.#written = done;
    else done();
  }

  override _final(done: () => void): void {
    this.#transport.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#transport.destroy();
    this.#release();
    done(error);
  }

  #release(): void {
    const written = this.#written;
    this.#written = null;
    written?.();
  }
}
