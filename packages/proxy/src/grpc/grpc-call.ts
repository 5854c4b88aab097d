import type { ClientHttp2Stream, OutgoingHttpHeaders } from "node:http2";
import type { Timer } from "@mixerless/clock";
import { grpcStatusOfHttp } from "../http/grpc.ts";
import type { Cancellable } from "../upstream/cluster.ts";
import { type GrpcEvents, type GrpcMetadata, type GrpcRequest, GrpcStatus, type GrpcStream } from "./grpc-client.ts";
import type { StreamWaiter } from "./grpc-connection.ts";
import { FrameReader, frameMessage } from "./message-frames.ts";
import { pairsOf, requestHeaders, statusMessage } from "./metadata.ts";
import { nodeHttp2 } from "./node-http2.ts";

/** Most bytes of a message that is taken; receivers have lower limits of their own. */
const MOST_RECEIVED = 16 * 1024 * 1024;
/** Most bytes that wait for a peer that doesn't read. */
const MOST_UNSENT = 4 * 1024 * 1024;

/** One call, from the wait for its connection to its status. */
export class GrpcCall implements GrpcStream, StreamWaiter {
  readonly #request: GrpcRequest;
  readonly #events: GrpcEvents;
  /** Told once how it ended; null: by a cancel. */
  readonly #onOver: (status: number | null) => void;
  readonly #reader: FrameReader;
  #waiting: Cancellable | null = null;
  #stream: ClientHttp2Stream | null = null;
  #unsent: Buffer[] = [];
  #unsentBytes = 0;
  #ended = false;
  #httpStatus = 0;
  #trailers: GrpcMetadata | null = null;
  #over = false;
  deadline: Timer | null = null;

  constructor(request: GrpcRequest, events: GrpcEvents, onOver: (status: number | null) => void) {
    this.#request = request;
    this.#events = events;
    this.#onOver = onOver;
    this.#reader = new FrameReader(MOST_RECEIVED, (message) => {
      if (!this.#over) events.onMessage(message);
    });
  }

  waitOn(waiting: Cancellable): void {
    if (this.#stream === null && !this.#over) this.#waiting = waiting;
  }

  send(message: Buffer, endStream: boolean): void {
    if (this.#over || this.#ended) return;
    const frame = frameMessage(message);
    if (this.#stream === null) {
      this.#unsent.push(frame);
      this.#unsentBytes += frame.length;
    } else {
      this.#stream.write(frame);
      this.#unsentBytes = this.#stream.writableLength;
    }
    if (this.#unsentBytes > MOST_UNSENT) {
      this.finish(GrpcStatus.ResourceExhausted, `more than ${MOST_UNSENT} bytes wait for the peer`);
    } else if (endStream) this.end();
  }

  end(): void {
    if (this.#over || this.#ended) return;
    this.#ended = true;
    this.#stream?.end();
  }

  cancel(): void {
    if (!this.#over) this.#close(null);
  }

  /** Ends the call from this side. */
  finish(status: number, message: string): void {
    if (this.#over) return;
    this.#close(status);
    this.#events.onClose(status, message);
  }

  headers(scheme: string): OutgoingHttpHeaders {
    return requestHeaders(this.#request, scheme);
  }

  onNoStream(reason: string): void {
    this.finish(GrpcStatus.Unavailable, `upstream connect error: ${reason}`);
  }

  onStream(stream: ClientHttp2Stream): void {
    this.#waiting = null;
    this.#stream = stream;
    stream.on("response", (_headers: object, flags: number, raw?: string[]) => {
      this.#onResponse(raw, (flags & nodeHttp2().constants.NGHTTP2_FLAG_END_STREAM) !== 0);
      // Only now: data that came with the headers would overtake them.
      stream.on("data", (chunk: Buffer) => this.#onData(chunk));
    });
    stream.on("trailers", (_headers, _flags, raw) => {
      this.#trailers = pairsOf(raw);
    });
    stream.on("error", () => {});
    stream.on("close", () => this.#onClose(stream));
    for (const frame of this.#unsent.splice(0)) stream.write(frame);
    if (this.#ended) stream.end();
  }

  #onResponse(raw: readonly string[] | undefined, endStream: boolean): void {
    if (this.#over) return;
    const metadata = pairsOf(raw);
    this.#httpStatus = Number(find(metadata, ":status"));
    if (endStream) this.#trailers = metadata;
    else this.#events.onInitialMetadata(metadata);
  }

  #onData(chunk: Buffer): void {
    // The body of an answer that isn't gRPC says nothing.
    if (this.#over || this.#httpStatus !== 200) return;
    const fault = this.#reader.take(chunk);
    if (fault === "compressed") this.finish(GrpcStatus.Internal, "a compressed message came, which nobody asked for");
    if (fault === "too-large")
      this.finish(GrpcStatus.ResourceExhausted, `a message is larger than ${MOST_RECEIVED} bytes`);
  }

  /** By then everything that came in order has been handed over. */
  #onClose(stream: ClientHttp2Stream): void {
    if (this.#over) return;
    const trailers = this.#trailers;
    if (trailers === null) {
      const [status, message] = this.#lostStatus(stream.rstCode);
      this.finish(status, message);
      return;
    }
    this.#events.onTrailingMetadata(trailers);
    if (this.#over) return;
    const text = find(trailers, "grpc-status");
    if (text === null) this.finish(grpcStatusOfHttp(this.#httpStatus), `HTTP status ${this.#httpStatus}`);
    else if (!/^\d{1,9}$/.test(text)) this.finish(GrpcStatus.Unknown, "the status can't be read");
    else if (text === "0" && !this.#reader.complete) this.finish(GrpcStatus.Internal, "the last message is incomplete");
    else this.finish(Number(text), statusMessage(find(trailers, "grpc-message") ?? ""));
  }

  /** Of a call that ended without one. */
  #lostStatus(code: number): [status: number, message: string] {
    if (this.#httpStatus !== 0 && this.#httpStatus !== 200)
      return [grpcStatusOfHttp(this.#httpStatus), `HTTP status ${this.#httpStatus}`];
    const { constants } = nodeHttp2();
    switch (code) {
      case constants.NGHTTP2_REFUSED_STREAM:
        return [GrpcStatus.Unavailable, "the peer refused the stream"];
      case constants.NGHTTP2_CANCEL:
        // Node's too for streams of a connection that is lost.
        return this.#stream?.session?.destroyed === false
          ? [GrpcStatus.Cancelled, "the peer cancelled the stream"]
          : [GrpcStatus.Unavailable, "the connection was lost"];
      case constants.NGHTTP2_ENHANCE_YOUR_CALM:
        return [GrpcStatus.ResourceExhausted, "the peer asks for calm"];
      case constants.NGHTTP2_INADEQUATE_SECURITY:
        return [GrpcStatus.PermissionDenied, "the peer asks for better security"];
      case constants.NGHTTP2_NO_ERROR:
        return [GrpcStatus.Unknown, "the response has no status"];
      default:
        return [GrpcStatus.Internal, `the stream was reset with code ${code}`];
    }
  }

  #close(status: number | null): void {
    this.#over = true;
    this.deadline?.cancel();
    this.#waiting?.cancel();
    this.#unsent = [];
    if (this.#stream?.closed === false) this.#stream.close(nodeHttp2().constants.NGHTTP2_CANCEL);
    this.#onOver(status);
  }
}

function find(metadata: GrpcMetadata, name: string): string | null {
  return metadata.find(([key]) => key === name)?.[1] ?? null;
}
