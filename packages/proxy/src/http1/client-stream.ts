import type { RequestEncoder, ResponseDecoder } from "../http/codec.ts";
import type { HeaderMap } from "../http/header-map.ts";
import { H } from "../http/header-name.ts";
import { Http1Stream, type StreamHost } from "./http1-stream.ts";
import { Remainder } from "./remainder.ts";

export interface ClientStreamHost extends StreamHost {
  /** The stream cannot go on; its decoder has to be told. */
  failOutgoing(): void;
}

const KEEP_LENGTH = H.contentLength.id;
const DROP_LENGTH = H.contentLength.id + 1;
/** Bytes for a tunnel that are kept while the upstream has not opened it. */
const MAX_EARLY_BYTES = 64 * 1024;

/** One request with its response, on the side of the upstream. */
export class ClientStream extends Http1Stream<ResponseDecoder> implements RequestEncoder {
  /** The response has no body whatever its head says. */
  headRequest = false;
  connectRequest = false;
  upgradeRequest = false;
  declare protected readonly host: ClientStreamHost;
  /** Sent before the tunnel was open: on the wire these bytes would be the next request. */
  #early: Remainder | null = null;
  #earlyEnd = false;
  #tunnelOpen = false;

  constructor(host: ClientStreamHost, decoder: ResponseDecoder) {
    super(host, "HTTP/1.1", decoder);
  }

  get wantsTunnel(): boolean {
    return this.connectRequest || this.upgradeRequest;
  }

  override get congested(): boolean {
    return this.#early !== null || this.host.transport.congested;
  }

  sendHeaders(headers: HeaderMap, endStream: boolean): void {
    if (this.headersSent || this.dead) return;
    const method = headers.getFirst(H.method) ?? "GET";
    this.headRequest = method === "HEAD";
    this.connectRequest = method === "CONNECT";
    this.upgradeRequest = !this.connectRequest && !endStream && headers.has(H.upgrade);
    const authority = headers.getFirst(H.authority) ?? "";
    const target = this.connectRequest ? authority : (headers.getFirst(H.path) ?? "/");
    const lengthLine = this.#frame(headers, method, endStream);
    this.write(`${method} ${target} HTTP/1.1\r\nhost: ${authority}\r\n`);
    const from = lengthLine === null ? KEEP_LENGTH : DROP_LENGTH;
    this.wireBytesSent += headers.writeFields(this.host.transport, from);
    this.write(`${lengthLine ?? ""}${this.#hopLines(headers)}\r\n`);
    if (endStream) this.finish(null);
  }

  override sendData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    if (!this.wantsTunnel || this.#tunnelOpen) {
      super.sendData(buffer, start, end, endStream);
      return;
    }
    if (!this.sending || this.#earlyEnd) return;
    this.#earlyEnd = endStream;
    if (end > start) this.#keepEarly(buffer, start, end);
  }

  /** The upstream has opened the tunnel. */
  openTunnel(): void {
    this.#tunnelOpen = true;
    const early = this.#early;
    this.#early = null;
    if (early !== null) super.sendData(early.bytes, early.start, early.end, false);
    if (this.#earlyEnd) this.finish(null);
    else if (early !== null && !this.dead && !this.congested) this.decoder.onDrain();
  }

  #keepEarly(buffer: Buffer, start: number, end: number): void {
    if (this.#early === null) this.#early = new Remainder(buffer, start, end);
    else this.#early.append(buffer, start, end);
    if (this.#early.end - this.#early.start > MAX_EARLY_BYTES) this.host.failOutgoing();
  }

  /** Chooses how the body is told. Returns the line instead of the headers' content-length; null: that stays. */
  #frame(headers: HeaderMap, method: string, endStream: boolean): string | null {
    if (this.wantsTunnel) {
      this.beginBody("raw", 0);
      return "";
    }
    const length = headers.getInteger(H.contentLength);
    if (endStream) {
      this.beginBody("none", 0);
      if (length === 0) return null;
      return hasNoContent(method) ? "" : "content-length: 0\r\n";
    }
    if (length >= 0) {
      this.beginBody("length", length);
      return null;
    }
    this.beginBody("chunked", 0);
    return "transfer-encoding: chunked\r\n";
  }

  /** The headers that are for the next hop only. */
  #hopLines(headers: HeaderMap): string {
    if (this.upgradeRequest) return `connection: upgrade\r\nupgrade: ${headers.get(H.upgrade) ?? ""}\r\n`;
    const te = headers.get(H.te);
    return te !== null && /(^|,)[ \t]*trailers[ \t]*(,|;|$)/i.test(te) ? "te: trailers\r\n" : "";
  }
}

/** Methods whose requests have no content unless they say so; others get an explicit length of 0, as Envoy sends it. */
function hasNoContent(method: string): boolean {
  return method === "GET" || method === "HEAD" || method === "CONNECT" || method === "TRACE";
}
