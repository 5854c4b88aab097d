import type { StreamDecoder, StreamEncoder } from "../http/codec.ts";
import type { HeaderMap } from "../http/header-map.ts";
import type { ConnectionInfo, Transport } from "../transport/transport.ts";
import type { BodyReceiver } from "./incoming-body.ts";

/** What a stream asks of the connection that it is on. */
export interface StreamHost {
  readonly transport: Transport;
  /** The outgoing message is complete; `truncated` when less of it was sent than its head announced. */
  outgoingEnded(truncated: boolean): void;
  /** The stream was given up by those above. */
  abandon(): void;
  /** Reading was stopped or may go on. */
  readingChanged(): void;
}

/** How the end of the outgoing body is told. */
export type BodyFraming = "none" | "length" | "chunked" | "raw";

/** What both directions have in common: the outgoing body, and control of the incoming one. */
export abstract class Http1Stream<Decoder extends StreamDecoder> implements StreamEncoder, BodyReceiver {
  readonly protocol: string;
  wireBytesReceived = 0;
  wireBytesSent = 0;
  incomingDone = false;
  outgoingDone = false;
  headersSent = false;
  /** Reset, by either side, or its connection is gone: nothing more is sent or told. */
  dead = false;
  /** Calls of pauseReading that no resumeReading has answered. */
  paused = 0;
  protected readonly host: StreamHost;
  #decoder: Decoder | null;
  #framing: BodyFraming = "none";
  #left = 0;
  #overrun = false;

  constructor(host: StreamHost, protocol: string, decoder: Decoder | null) {
    this.host = host;
    this.protocol = protocol;
    this.#decoder = decoder;
  }

  abstract sendHeaders(headers: HeaderMap, endStream: boolean): void;

  get connection(): ConnectionInfo {
    return this.host.transport.connection;
  }

  get decoder(): Decoder {
    return this.#decoder as Decoder;
  }

  set decoder(decoder: Decoder) {
    this.#decoder = decoder;
  }

  get congested(): boolean {
    return this.host.transport.congested;
  }

  sendData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    if (!this.sending) return;
    if (end > start) this.#writeBody(buffer, start, end);
    if (endStream) this.finish(null);
  }

  sendTrailers(trailers: HeaderMap): void {
    if (this.sending) this.finish(trailers);
  }

  reset(): void {
    if (this.dead || (this.incomingDone && this.outgoingDone)) return;
    this.dead = true;
    this.host.abandon();
  }

  pauseReading(): void {
    if (this.dead || this.incomingDone) return;
    this.paused++;
    if (this.paused === 1) this.host.readingChanged();
  }

  resumeReading(): void {
    if (this.dead || this.paused === 0) return;
    this.paused--;
    if (this.paused === 0) this.host.readingChanged();
  }

  /** Between the head and the end of the outgoing message. */
  protected get sending(): boolean {
    return this.headersSent && !this.outgoingDone && !this.dead;
  }

  /** `length` counts for the framing "length" only. */
  protected beginBody(framing: BodyFraming, length: number): void {
    this.headersSent = true;
    this.#framing = framing;
    this.#left = length;
  }

  protected get framing(): BodyFraming {
    return this.#framing;
  }

  protected write(text: string): void {
    this.host.transport.appendLatin1(text);
    this.wireBytesSent += text.length;
  }

  /** Ends the outgoing message. Trailers are sent where the framing has a place for them. */
  protected finish(trailers: HeaderMap | null): void {
    if (this.#framing === "chunked") {
      if (trailers === null) {
        this.write("0\r\n\r\n");
      } else {
        this.write("0\r\n");
        this.wireBytesSent += trailers.writeFields(this.host.transport, 0);
        this.write("\r\n");
      }
    }
    this.outgoingDone = true;
    this.host.outgoingEnded(this.#overrun || (this.#framing === "length" && this.#left > 0));
  }

  #writeBody(buffer: Buffer, start: number, end: number): void {
    const { transport } = this.host;
    let stop = end;
    switch (this.#framing) {
      case "none":
        return;
      case "length":
        // More than the head announced would be read as the next message.
        stop = Math.min(end, start + this.#left);
        this.#left -= stop - start;
        if (stop < end) this.#overrun = true;
        break;
      case "chunked":
        this.write(`${(end - start).toString(16)}\r\n`);
        break;
      case "raw":
        break;
    }
    transport.append(buffer, start, stop);
    this.wireBytesSent += stop - start;
    if (this.#framing === "chunked") this.write("\r\n");
  }
}
