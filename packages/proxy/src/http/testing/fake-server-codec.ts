import type { ConnectionInfo } from "../../transport/transport.ts";
import type {
  RequestDecoder,
  ResetReason,
  ResponseEncoder,
  ServerConnection,
  ServerConnectionCallbacks,
  StreamRefusal,
} from "../codec.ts";
import { HeaderMap } from "../header-map.ts";
import { H, HeaderName } from "../header-name.ts";

/** A list: so many lines of the name. */
export type Fields = Readonly<Record<string, string | readonly string[]>>;

export function headersOf(fields: Fields): HeaderMap {
  const headers = new HeaderMap();
  for (const [name, values] of Object.entries(fields))
    for (const value of [values].flat()) headers.add(HeaderName.of(name), value);
  return headers;
}

export function fieldsOf(headers: HeaderMap): Record<string, string> {
  const fields: Record<string, string> = {};
  headers.forEach((name, value) => {
    fields[name] = fields[name] === undefined ? value : `${fields[name]},${value}`;
  });
  return fields;
}

/** One request as a test sends it, and what came back. */
export class FakeExchange implements ResponseEncoder {
  readonly connection: ConnectionInfo;
  readonly protocol = "HTTP/1.1";
  decoder: RequestDecoder | null = null;
  congested = false;
  wireBytesReceived = 300;
  wireBytesSent = 0;
  informational: string[] = [];
  head: Record<string, string> | null = null;
  body = "";
  trailers: Record<string, string> | null = null;
  complete = false;
  resetReason: ResetReason | null = null;
  closing = false;
  refusal: StreamRefusal | null = null;
  /** Calls of pauseReading minus those of resumeReading. */
  paused = 0;

  constructor(connection: ConnectionInfo) {
    this.connection = connection;
  }

  get status(): number | null {
    return this.head === null ? null : Number(this.head[":status"]);
  }

  sendInformational(headers: HeaderMap): void {
    this.informational.push(headers.get(H.status) ?? "");
  }
  sendHeaders(headers: HeaderMap, endStream: boolean): void {
    if (this.head !== null || this.complete) throw new Error("headers were sent twice");
    this.head = fieldsOf(headers);
    this.wireBytesSent += headers.byteSize;
    this.complete = endStream;
  }
  sendData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    if (this.head === null || this.complete) throw new Error("data without headers, or after the end");
    this.body += buffer.toString("latin1", start, end);
    this.wireBytesSent += end - start;
    this.complete = endStream;
  }
  sendTrailers(trailers: HeaderMap): void {
    this.trailers = fieldsOf(trailers);
    this.complete = true;
  }
  reset(reason: ResetReason): void {
    if (this.resetReason !== null) throw new Error("reset twice");
    this.resetReason = reason;
  }
  closeAfterResponse(): void {
    this.closing = true;
  }
  pauseReading(): void {
    this.paused++;
  }
  resumeReading(): void {
    this.paused--;
  }

  /** More of the request. */
  data(text: string, endStream = false): this {
    const bytes = Buffer.from(text, "latin1");
    this.decoder?.onData(bytes, 0, bytes.length, endStream);
    bytes.fill(0x21); // The read buffer is not the stream's to keep.
    return this;
  }

  drain(): void {
    this.congested = false;
    this.decoder?.onDrain();
  }

  disconnect(): void {
    this.resetReason = "connection-termination";
    this.decoder?.onReset("connection-termination");
  }
}

/** A codec without a wire. */
export class FakeServerConnection implements ServerConnection {
  readonly connection: ConnectionInfo;
  readonly callbacks: ServerConnectionCallbacks;
  activeStreams = 0;
  closed = false;

  constructor(connection: ConnectionInfo, callbacks: ServerConnectionCallbacks) {
    this.connection = connection;
    this.callbacks = callbacks;
  }

  drain(): void {}
  close(): void {
    this.closed = true;
    this.callbacks.onClose();
  }

  request(fields: Fields, endStream = true): FakeExchange {
    const exchange = new FakeExchange(this.connection);
    exchange.decoder = this.callbacks.onStream(exchange);
    exchange.decoder.onHeaders(headersOf(fields), endStream);
    return exchange;
  }
}
