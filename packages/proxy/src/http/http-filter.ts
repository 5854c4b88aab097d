import type { StreamInfo } from "../stream/stream-info.ts";
import type { HeaderMap } from "./header-map.ts";
import type { RouteEntry } from "./routing/route-entry.ts";

/** What a filter answers to each call. */
export const FilterStatus = {
  /** The next filter is asked. */
  Continue: 0,
  /**
   * Nothing goes on in this direction until the filter calls `continueDecoding` or `continueEncoding`, or answers by
   * itself. What arrives meanwhile is kept and its source is stopped.
   */
  Stop: 1,
  /**
   * The filter has taken this part of the message: nothing goes on, and the next part comes to it as well. It passes on
   * by itself (`passRequestHeaders` and so on), when and what it likes.
   */
  Taken: 2,
} as const;

/** A response that the proxy makes itself. */
export interface LocalReply {
  readonly status: number;
  /** Byte string; may be empty. */
  readonly body: string;
  /** Becomes the response code details, e.g. `route_not_found`. */
  readonly details: string;
  /** Bits of ResponseFlag. */
  readonly flags: number;
  /** For gRPC requests; null derives it from `status`. */
  readonly grpcStatus?: number | null;
  /** Changes the headers before they pass the filters. */
  readonly edit?: (headers: HeaderMap) => void;
}

/** The stream as its filters see it. */
export interface FilterStream {
  readonly info: StreamInfo;
  /** Null: no route fits. */
  readonly route: RouteEntry | null;
  /** True once the last byte of the request has arrived. */
  readonly requestComplete: boolean;
  /** True once headers of a final response have been sent. */
  readonly responseStarted: boolean;
  /** Most bytes that a filter may keep of one message. */
  readonly bufferLimit: number;

  /** The route may depend on what a filter has changed or noted. Filters stay those of the route before. */
  chooseRouteAgain(): void;
  continueDecoding(filter: HttpFilter): void;
  continueEncoding(filter: HttpFilter): void;
  /** Leads parts of a message that `filter` has taken through the filters behind it. */
  passRequestHeaders(filter: HttpFilter, headers: HeaderMap, endStream: boolean): void;
  passRequestData(filter: HttpFilter, buffer: Buffer, endStream: boolean): void;
  passRequestTrailers(filter: HttpFilter, trailers: HeaderMap): void;
  passResponseHeaders(filter: HttpFilter, headers: HeaderMap, endStream: boolean): void;
  passResponseData(filter: HttpFilter, buffer: Buffer, endStream: boolean): void;
  passResponseTrailers(filter: HttpFilter, trailers: HeaderMap): void;
  /** Stops and resumes the response's arrival. */
  pauseResponse(): void;
  resumeResponse(): void;
  /** Answers in place of the upstream. After a response has started, the stream is reset instead. */
  sendLocalReply(reply: LocalReply): void;
  /** Gives the stream up: the client sees its connection end. */
  resetStream(details: string): void;

  /** The response, from the last filter of the chain. */
  respondInformational(headers: HeaderMap): void;
  respondHeaders(headers: HeaderMap, endStream: boolean): void;
  respondData(buffer: Buffer, start: number, end: number, endStream: boolean): void;
  respondTrailers(trailers: HeaderMap): void;

  /** Stops and resumes the request's arrival. Calls count. */
  pauseRequest(): void;
  resumeRequest(): void;
  /** True while the client takes its response too slowly; the filter's `onDownstreamDrain` follows. */
  readonly downstreamCongested: boolean;
}

/**
 * One filter on one stream. Requests pass the filters in the configured order, responses in reverse. Buffers are
 * valid during the call only.
 */
export abstract class HttpFilter {
  protected readonly stream: FilterStream;
  /** Place in the chain; set by the stream. */
  index = -1;

  constructor(stream: FilterStream) {
    this.stream = stream;
  }

  decodeHeaders(_headers: HeaderMap, _endStream: boolean): number {
    return FilterStatus.Continue;
  }

  decodeData(_buffer: Buffer, _start: number, _end: number, _endStream: boolean): number {
    return FilterStatus.Continue;
  }

  decodeTrailers(_trailers: HeaderMap): number {
    return FilterStatus.Continue;
  }

  encodeHeaders(_headers: HeaderMap, _endStream: boolean): number {
    return FilterStatus.Continue;
  }

  encodeData(_buffer: Buffer, _start: number, _end: number, _endStream: boolean): number {
    return FilterStatus.Continue;
  }

  encodeTrailers(_trailers: HeaderMap): number {
    return FilterStatus.Continue;
  }

  /** The client takes bytes again; for the last filter of the chain. */
  onDownstreamDrain(): void {}

  /** Another filter holds the response back, and lets it go: the last filter stops its source meanwhile. */
  onResponseHeld(): void {}
  onResponseReleased(): void {}

  /** The stream ends now, with its response sent or without. Time to let go of what is still running; no reply any more. */
  onEnd(): void {}

  /** All facts of the stream are known. The last call. */
  onLog(): void {}
}

/** Makes the filter of each stream; null: this stream does without. */
export interface HttpFilterFactory {
  create(stream: FilterStream): HttpFilter | null;
  /** Its configuration is still to come, and its listener waits for it. */
  readonly warming?: boolean;
  /** It can't do its work yet, which takes a moment: chains that others can stand in for wait. */
  readonly starting?: boolean;
  /** No further stream will begin; those that run may still use what the factory gave them. */
  close?(): void;
}
