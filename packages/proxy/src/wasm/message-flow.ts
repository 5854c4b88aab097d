import { BodyResult, FlowResult, HeadersResult } from "@mixerless/wasm";
import type { HeaderMap } from "../http/header-map.ts";
import { H } from "../http/header-name.ts";
import { FilterStatus } from "../http/http-filter.ts";

/** One direction of a stream: what asks the plugin, and what leads on. */
export interface FlowSide {
  /** The plugin, or the proxy for it, has ended this direction. */
  readonly over: boolean;
  onHeaders(endStream: boolean): number;
  onBody(bytes: Buffer, endStream: boolean): number;
  onTrailers(): number;
  /** What the plugin holds of the body, as it has left it. */
  take(): Buffer;
  readonly edited: boolean;
  /** Trailers that the plugin has made for a message without; null: none. */
  readonly addedTrailers: HeaderMap | null;
  passHeaders(headers: HeaderMap, endStream: boolean): void;
  passData(buffer: Buffer, endStream: boolean): void;
  passTrailers(trailers: HeaderMap): void;
  /** Stops and resumes the source. */
  pause(): void;
  resume(): void;
  reset(details: string): void;
}

/**
 * A message on its way through a plugin: passed on as it comes, held back as a whole or in its body only, and changed.
 * While all is held the source is stopped; what was already read comes to the plugin after it has resumed.
 */
export class MessageFlow {
  readonly #side: FlowSide;
  #head: HeaderMap | null = null;
  #headEnds = false;
  /** The head that went on announced a length. */
  #lengthSent = false;
  /** The plugin sees nothing until it resumes. */
  #stopped = false;
  /** It holds bytes of the body, or its end. */
  #holdsBody = false;
  #bodyEnds = false;
  #trailers: HeaderMap | null = null;
  #waiting: Buffer[] = [];
  #waitingEnds = false;
  #waitingTrailers: HeaderMap | null = null;

  constructor(side: FlowSide) {
    this.#side = side;
  }

  headers(headers: HeaderMap, endStream: boolean): number {
    const result = this.#side.onHeaders(endStream);
    if (this.#side.over) return FilterStatus.Taken;
    if (result === HeadersResult.Continue || result === HeadersResult.ContinueAndEndStream) {
      this.#lengthSent = headers.has(H.contentLength);
      return FilterStatus.Continue;
    }
    this.#head = headers;
    this.#headEnds = endStream;
    if (result !== HeadersResult.StopIteration) this.#stop();
    return FilterStatus.Taken;
  }

  data(bytes: Buffer, endStream: boolean): number {
    const side = this.#side;
    if (this.#stopped) {
      if (bytes.length > 0) this.#waiting.push(Buffer.from(bytes));
      this.#waitingEnds ||= endStream;
      return FilterStatus.Taken;
    }
    const result = side.onBody(bytes, endStream);
    if (side.over) return FilterStatus.Taken;
    if (result !== BodyResult.Continue) {
      this.#holdsBody = true;
      this.#bodyEnds = endStream;
      return FilterStatus.Taken;
    }
    const untouched = !this.#holdsBody && !side.edited && this.#head === null;
    if (untouched && (!endStream || side.addedTrailers === null)) {
      side.take();
      return FilterStatus.Continue;
    }
    this.#passBody(endStream);
    return FilterStatus.Taken;
  }

  trailers(trailers: HeaderMap): number {
    if (this.#stopped) {
      this.#waitingTrailers = trailers;
      return FilterStatus.Taken;
    }
    const result = this.#side.onTrailers();
    if (this.#side.over) return FilterStatus.Taken;
    if (result === FlowResult.Continue) {
      this.#passHead();
      if (this.#holdsBody) this.#passBody(false);
      return FilterStatus.Continue;
    }
    this.#trailers = trailers;
    this.#stop();
    return FilterStatus.Taken;
  }

  /** The plugin lets go of what it holds. */
  resume(): void {
    const side = this.#side;
    const wasStopped = this.#stopped;
    this.#stopped = false;
    this.#passHead();
    if (this.#holdsBody) this.#passBody(this.#bodyEnds);
    const trailers = this.#trailers;
    this.#trailers = null;
    if (trailers !== null) side.passTrailers(trailers);
    this.#replay();
    if (wasStopped) side.resume();
  }

  #stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#side.pause();
  }

  /** What came while all was held, now for the plugin; it may hold it again. */
  #replay(): void {
    const side = this.#side;
    const pieces = this.#waiting;
    const ends = this.#waitingEnds;
    const trailers = this.#waitingTrailers;
    this.#waiting = [];
    this.#waitingEnds = false;
    this.#waitingTrailers = null;
    if (ends && pieces.length === 0) pieces.push(Buffer.alloc(0));
    for (const [at, piece] of pieces.entries()) {
      if (side.over) return;
      const last = ends && at === pieces.length - 1;
      if (this.data(piece, last) === FilterStatus.Continue) side.passData(piece, last);
    }
    if (trailers !== null && !side.over && this.trailers(trailers) === FilterStatus.Continue)
      side.passTrailers(trailers);
  }

  #passHead(): void {
    const head = this.#head;
    if (head === null) return;
    this.#head = null;
    // A length that isn't true any more must not be announced; the codec finds another way.
    if (this.#side.edited) head.remove(H.contentLength);
    this.#lengthSent = head.has(H.contentLength);
    this.#side.passHeaders(head, this.#headEnds);
  }

  #passBody(endStream: boolean): void {
    const side = this.#side;
    this.#passHead();
    if (side.edited && this.#lengthSent) {
      side.reset("wasm_body_length_changed");
      return;
    }
    this.#holdsBody = false;
    const body = side.take();
    const added = endStream ? side.addedTrailers : null;
    if (body.length > 0 || (endStream && added === null)) side.passData(body, endStream && added === null);
    if (added !== null) side.passTrailers(added);
  }
}
