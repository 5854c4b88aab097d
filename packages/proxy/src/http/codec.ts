import type { ConnectionInfo } from "../transport/transport.ts";
import type { HeaderMap } from "./header-map.ts";

/**
 * The seam between wire formats (HTTP/1.1 now, HTTP/2 later) and everything above them. A stream is
 * one request with its response. A decoder is told what arrives, an encoder is told what to send.
 * Buffers are valid during the call only. After a reset, in either direction, no further call is made.
 */
export interface StreamDecoder {
  onData(buffer: Buffer, start: number, end: number, endStream: boolean): void;
  onTrailers(trailers: HeaderMap): void;
  /** The message will not be completed. */
  onReset(reason: ResetReason): void;
  /** The peer of this stream's encoder can take more after `congested` was true. */
  onDrain(): void;
}

export interface RequestDecoder extends StreamDecoder {
  onHeaders(headers: HeaderMap, endStream: boolean): void;
}

export interface ResponseDecoder extends StreamDecoder {
  /** 1xx except 101. */
  onInformational(headers: HeaderMap): void;
  onHeaders(headers: HeaderMap, endStream: boolean): void;
}

export interface StreamEncoder {
  readonly connection: ConnectionInfo;
  sendHeaders(headers: HeaderMap, endStream: boolean): void;
  sendData(buffer: Buffer, start: number, end: number, endStream: boolean): void;
  sendTrailers(trailers: HeaderMap): void;
  /** Gives the stream up. HTTP/1.1 closes the connection for it. */
  reset(reason: ResetReason): void;
  /** True while the connection holds more unsent bytes than it should. */
  readonly congested: boolean;
  /** Stops and resumes reading of this stream's incoming message. Calls count: two stops need two resumes. */
  pauseReading(): void;
  resumeReading(): void;
  /** Bytes of this stream on the wire so far, framing included, heads included. */
  readonly wireBytesReceived: number;
  readonly wireBytesSent: number;
}

export interface ResponseEncoder extends StreamEncoder {
  sendInformational(headers: HeaderMap): void;
  /** "HTTP/1.0", "HTTP/1.1" or "HTTP/2". */
  readonly protocol: string;
  /** Asks for `connection: close` with this response (drain) and no further request after it. */
  closeAfterResponse(): void;
  /** What the codec found wrong with the request's body; null before a reset for `protocol-error`. */
  readonly refusal: StreamRefusal | null;
}

export interface RequestEncoder extends StreamEncoder {
  readonly protocol: string;
}

/** Why a stream ended before its message did. */
export type ResetReason =
  | "connection-termination" // the connection went away
  | "connection-failure" // it never came up
  | "local" // this proxy gave the stream up
  | "remote" // the peer reset the stream
  | "protocol-error" // the peer broke the wire format
  | "overflow" // a limit of this proxy was reached
  | "timeout";

/** What a refusal counts as. `unsupported`: well-formed, but not accepted here, which is nobody's error. */
export type RefusalKind = "protocol-error" | "header-timeout" | "upgrade" | "unsupported";

/** How the codec ended a stream whose body was no body. */
export interface StreamRefusal {
  /** Of the answer that the codec gave; 0 when a response had begun already. */
  readonly status: number;
  readonly code: string;
}

/** A request that a codec refused before anyone above saw it. The codec has answered it already. */
export interface RefusedRequest {
  /** Status of the answer, e.g. 400 or 431. */
  readonly status: number;
  /** Stable, e.g. `http1.duplicate_content_length`; becomes the response code details. */
  readonly code: string;
  readonly kind: RefusalKind;
  /** What could be read of the head; for the access log only. */
  readonly method: string | null;
  readonly path: string | null;
  readonly authority: string | null;
  readonly wireBytesReceived: number;
  readonly wireBytesSent: number;
}

/** Idle for too long; all the requests that one connection may carry. */
export type ConnectionLimit = "idle-timeout" | "max-requests";

export interface ServerConnectionCallbacks {
  /** A request begins; its headers follow at once by the returned decoder. */
  onStream(encoder: ResponseEncoder): RequestDecoder;
  onRefused(request: RefusedRequest): void;
  /** The connection is closed because a limit of its own was reached. */
  onLimit(limit: ConnectionLimit): void;
  /** The connection is gone; every open stream was reset before. */
  onClose(): void;
}

/** A downstream connection. */
export interface ServerConnection {
  readonly connection: ConnectionInfo;
  /** Streams open now. */
  readonly activeStreams: number;
  /** Lets open streams finish, takes no new one, then closes [decision 10]. */
  drain(): void;
  close(): void;
}

export interface ClientConnectionCallbacks {
  /** The last stream finished cleanly: the connection may carry another. */
  onIdle(): void;
  /** The peer announced that the connection takes no further stream. */
  onGoAway(): void;
  onClose(error: Error | null): void;
}

/** An upstream connection. */
export interface ClientConnection {
  readonly connection: ConnectionInfo;
  readonly activeStreams: number;
  /** True while {@link newStream} may be called. */
  readonly available: boolean;
  newStream(decoder: ResponseDecoder): RequestEncoder;
  close(): void;
}
