import type { RequestDecoder, ResponseEncoder, StreamRefusal } from "../http/codec.ts";
import type { HeaderMap } from "../http/header-map.ts";
import { H } from "../http/header-name.ts";
import { Http1Stream, type StreamHost } from "./http1-stream.ts";
import { statusLine } from "./status-line.ts";

export interface ServerStreamHost extends StreamHost {
  /** Whether the response that begins now is the last of the connection. */
  closesAfter(stream: ServerStream, endStream: boolean): boolean;
  /** The response turns the connection into a tunnel. */
  beginTunnel(): void;
}

/** What a request says about its response. */
export interface RequestFacts {
  readonly http10: boolean;
  readonly head: boolean;
  readonly connect: boolean;
  readonly upgrade: boolean;
  /** The client wants the connection closed after the response. */
  readonly close: boolean;
}

/** Ids of fields that the codec writes itself or leaves out: all before content-length, or that too. */
const KEEP_LENGTH = H.contentLength.id;
const DROP_LENGTH = H.contentLength.id + 1;

/** One request with its response, on the side of the client. */
export class ServerStream extends Http1Stream<RequestDecoder> implements ResponseEncoder {
  readonly request: RequestFacts;
  closeRequested: boolean;
  refusal: StreamRefusal | null = null;
  declare protected readonly host: ServerStreamHost;

  constructor(host: ServerStreamHost, request: RequestFacts, headBytes: number) {
    super(host, request.http10 ? "HTTP/1.0" : "HTTP/1.1", null);
    this.request = request;
    this.closeRequested = request.close;
    this.wireBytesReceived = headBytes;
  }

  closeAfterResponse(): void {
    this.closeRequested = true;
  }

  sendInformational(headers: HeaderMap): void {
    const status = headers.getInteger(H.status);
    // HTTP/1.0 clients know no 1xx; 101 is a final response.
    if (this.headersSent || this.dead || this.request.http10 || status === 101 || status < 100 || status > 199) return;
    this.write(statusLine(status, false));
    this.wireBytesSent += headers.writeFields(this.host.transport, DROP_LENGTH);
    this.write("\r\n");
  }

  sendHeaders(headers: HeaderMap, endStream: boolean): void {
    if (this.headersSent || this.dead) return;
    const status = headers.getInteger(H.status);
    const { http10 } = this.request;
    if (this.#isTunnel(status)) {
      this.#sendTunnelHead(headers, status);
    } else {
      const lengthLine = this.#frame(headers, status, endStream);
      this.write(statusLine(status, http10));
      const from = lengthLine === null ? KEEP_LENGTH : DROP_LENGTH;
      this.wireBytesSent += headers.writeFields(this.host.transport, from);
      this.write(`${lengthLine ?? ""}${this.#connectionLine(endStream)}\r\n`);
    }
    if (endStream) this.finish(null);
  }

  /** Chooses how the body is told. Returns the line instead of the headers' content-length; null: that stays. */
  #frame(headers: HeaderMap, status: number, endStream: boolean): string | null {
    const length = headers.getInteger(H.contentLength);
    if (this.request.head || status === 304) {
      this.beginBody("none", 0);
      return length < 0 ? "" : null;
    }
    if (status === 204 || status < 200) {
      this.beginBody("none", 0);
      return "";
    }
    if (endStream) {
      this.beginBody("none", 0);
      return length === 0 ? null : "content-length: 0\r\n";
    }
    if (length >= 0) {
      this.beginBody("length", length);
      return null;
    }
    if (this.request.http10) {
      this.beginBody("raw", 0);
      this.closeRequested = true;
      return "";
    }
    this.beginBody("chunked", 0);
    return "transfer-encoding: chunked\r\n";
  }

  #connectionLine(endStream: boolean): string {
    if (this.host.closesAfter(this, endStream)) return "connection: close\r\n";
    return this.request.http10 ? "connection: keep-alive\r\n" : "";
  }

  #isTunnel(status: number): boolean {
    const { connect, upgrade } = this.request;
    return (upgrade && status === 101) || (connect && status >= 200 && status < 300);
  }

  #sendTunnelHead(headers: HeaderMap, status: number): void {
    this.beginBody("raw", 0);
    this.write(statusLine(status, false));
    this.wireBytesSent += headers.writeFields(this.host.transport, DROP_LENGTH);
    const protocol = headers.get(H.upgrade);
    this.write(status === 101 ? `connection: upgrade\r\nupgrade: ${protocol ?? ""}\r\n\r\n` : "\r\n");
    this.host.beginTunnel();
  }
}
