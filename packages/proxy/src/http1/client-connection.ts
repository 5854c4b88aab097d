import type {
  ClientConnection,
  ClientConnectionCallbacks,
  RequestEncoder,
  ResetReason,
  ResponseDecoder,
} from "../http/codec.ts";
import type { ConnectionInfo, Transport } from "../transport/transport.ts";
import { ClientStream, type ClientStreamHost } from "./client-stream.ts";
import { Fault, Http1Error, type Http1Fault } from "./fault.ts";
import { FAULTY, MORE } from "./field-parser.ts";
import { Http1Connection } from "./http1-connection.ts";
import { IncomingBody, NO_BYTES } from "./incoming-body.ts";
import type { ResponseHead } from "./response-head.ts";

/** What the connections of one client codec share. */
export interface ClientShares {
  readonly head: ResponseHead;
  readonly maxHeadBytes: number;
}

/** Responses before the final one. */
const MAX_INFORMATIONAL = 32;

/** Head of a response, or nothing at all, expected; reading a body framed or until the connection ends; tunnel. */
type State = "head" | "body" | "until-close" | "tunnel";

/** An upstream HTTP/1.1 connection: one request at a time. */
export class Http1ClientConnection extends Http1Connection implements ClientConnection, ClientStreamHost {
  readonly #shares: ClientShares;
  readonly #callbacks: ClientConnectionCallbacks;
  readonly #body = new IncomingBody();
  #state: State = "head";
  #stream: ClientStream | null = null;
  #informational = 0;
  /** No further request will be sent. */
  #goAway = false;
  #closeReason: ResetReason = "connection-termination";

  constructor(transport: Transport, callbacks: ClientConnectionCallbacks, shares: ClientShares) {
    super(transport);
    this.#callbacks = callbacks;
    this.#shares = shares;
    transport.setHandler(this);
  }

  get connection(): ConnectionInfo {
    return this.transport.connection;
  }

  get activeStreams(): number {
    return this.#stream === null ? 0 : 1;
  }

  get available(): boolean {
    return this.#stream === null && !this.#goAway && !this.over && this.transport.writable;
  }

  newStream(decoder: ResponseDecoder): RequestEncoder {
    const available = this.available;
    const stream = new ClientStream(this, decoder);
    if (available) {
      this.#stream = stream;
      this.#informational = 0;
    } else {
      stream.dead = true;
      process.nextTick(() => decoder.onReset("connection-termination"));
    }
    return stream;
  }

  close(): void {
    this.#goAway = true;
    this.#closeReason = "local";
    this.transport.destroy();
  }

  // What the transport reports.

  onDrain(): void {
    this.#stream?.decoder.onDrain();
  }

  onEnd(): void {
    const stream = this.#stream;
    this.#goAway = true;
    if (stream === null) {
      this.transport.end();
    } else if (this.#state === "tunnel") {
      stream.incomingDone = true;
      if (stream.outgoingDone) this.#stream = null;
      stream.decoder.onData(NO_BYTES, 0, 0, true);
    } else if (this.#state === "until-close") {
      stream.incomingDone = true;
      stream.decoder.onData(NO_BYTES, 0, 0, true);
      this.#responseComplete(stream, false);
    } else {
      this.#fail(stream, "connection-termination");
    }
  }

  onClose(error: Error | null): void {
    this.over = true;
    this.#goAway = true;
    this.dropRest();
    const stream = this.#stream;
    if (stream !== null) this.#fail(stream, this.#closeReason);
    this.#callbacks.onClose(error);
  }

  // What the stream asks for.

  outgoingEnded(truncated: boolean): void {
    if (truncated) {
      this.#closeReason = "local";
      this.transport.destroy();
    } else if (this.#state === "tunnel") {
      if (this.#stream?.incomingDone === true) this.#stream = null;
      this.transport.end();
    }
  }

  failOutgoing(): void {
    this.#closeReason = "overflow";
    this.transport.destroy();
  }

  abandon(): void {
    this.#stream = null;
    this.#goAway = true;
    this.over = true;
    this.transport.destroy();
  }

  readingChanged(): void {
    this.changed();
  }

  // The incoming bytes.

  protected override held(): boolean {
    return this.stopped();
  }

  protected override stopped(): boolean {
    // A stream that is over does not leave the connection deaf if it had stopped reading [performance §5, bug 2].
    return this.#stream !== null && this.#stream.paused > 0;
  }

  protected override lineLimit(): number {
    return this.#shares.maxHeadBytes;
  }

  protected override step(buffer: Buffer, start: number, end: number): number {
    const stream = this.#stream;
    if (stream === null || !stream.headersSent) {
      this.#break(stream, Fault.unexpectedData);
      return end;
    }
    if (this.#state === "head") return this.#stepHead(stream, buffer, start, end);
    const next = this.#body.step(buffer, start, end, stream, this.#shares.head.fields);
    if (next === FAULTY) {
      this.#break(stream, this.#body.fault as Http1Fault);
      return end;
    }
    if (stream.incomingDone && this.#stream === stream) this.#responseComplete(stream, next < end);
    return this.over ? end : next;
  }

  #stepHead(stream: ClientStream, buffer: Buffer, start: number, end: number): number {
    const { head } = this.#shares;
    const next = head.parse(buffer, start, end);
    if (next === MORE) return MORE;
    if (next === FAULTY) {
      this.#break(stream, head.fields.fault as Http1Fault);
      return end;
    }
    stream.wireBytesReceived += next - start;
    const { status } = head;
    if (status === 101 && !stream.upgradeRequest) this.#break(stream, Fault.unexpectedUpgrade);
    else if (status < 200 && status !== 101) this.#inform(stream, buffer, next);
    else this.#beginResponse(stream, buffer, next, end);
    return this.over ? end : next;
  }

  #inform(stream: ClientStream, buffer: Buffer, end: number): void {
    this.#informational++;
    if (this.#informational > MAX_INFORMATIONAL) this.#break(stream, Fault.tooManyInformational);
    else stream.decoder.onInformational(this.#shares.head.build(buffer, end));
  }

  #beginResponse(stream: ClientStream, buffer: Buffer, headEnd: number, end: number): void {
    const { head } = this.#shares;
    const { framing } = head.fields;
    const { status } = head;
    const { close, keepAlive, contentLength } = framing;
    const chunked = framing.transferEncodings > 0;
    const persistent = head.minorVersion === 0 ? keepAlive : !close;
    const headers = head.build(buffer, headEnd);
    if (status === 101 || (stream.connectRequest && status < 300)) {
      this.#goAway = true;
      this.#state = "tunnel";
      this.#body.beginRaw();
      stream.decoder.onHeaders(headers, false);
      if (!stream.dead) stream.openTunnel();
      return;
    }
    const empty = stream.headRequest || status === 204 || status === 304 || (contentLength === 0 && !chunked);
    const untilClose = !empty && !chunked && contentLength < 0;
    // After a declined tunnel, bytes of it may be on the way.
    if (!persistent || untilClose || stream.wantsTunnel) this.#announceLast();
    if (empty) stream.incomingDone = true;
    else this.#beginBody(chunked, contentLength);
    stream.decoder.onHeaders(headers, empty);
    if (empty && this.#stream === stream) this.#responseComplete(stream, headEnd < end);
  }

  #beginBody(chunked: boolean, contentLength: number): void {
    this.#state = "body";
    if (chunked) {
      this.#body.beginChunks();
    } else if (contentLength > 0) {
      this.#body.beginLength(contentLength);
    } else {
      this.#state = "until-close";
      this.#body.beginRaw();
    }
  }

  #announceLast(): void {
    if (this.#goAway) return;
    this.#goAway = true;
    this.#callbacks.onGoAway();
  }

  /** The decoder has been told the end. `more`: bytes follow, which must not become the next response. */
  #responseComplete(stream: ClientStream, more: boolean): void {
    this.#stream = null;
    this.#state = "head";
    if (!stream.outgoingDone) {
      // Nobody will read the rest of the request.
      stream.dead = true;
      this.#announceLast();
    }
    if (this.#goAway) {
      this.over = true;
      this.transport.destroy();
      return;
    }
    if (more) {
      this.#break(null, Fault.unexpectedData);
      return;
    }
    this.#callbacks.onIdle();
  }

  /** The upstream broke the wire format. */
  #break(stream: ClientStream | null, fault: Http1Fault): void {
    this.#goAway = true;
    this.over = true;
    this.transport.destroy(new Http1Error(fault));
    if (stream !== null) this.#fail(stream, "protocol-error");
  }

  #fail(stream: ClientStream, reason: ResetReason): void {
    stream.dead = true;
    this.#stream = null;
    this.over = true;
    this.transport.destroy();
    stream.decoder.onReset(reason);
  }
}
