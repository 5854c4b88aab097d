import type { HeaderMap } from "../header-map.ts";
import { FilterStatus, type HttpFilter } from "../http-filter.ts";
import { HeldMessage } from "./held-message.ts";

const NO_FILTERS: readonly HttpFilter[] = [];

/**
 * Leads a request through the filters of its stream in order and the response back in reverse, and keeps what must
 * wait where a filter has stopped. Base of the stream, so that one object does it all.
 */
export abstract class FilterIteration {
  protected filters: readonly HttpFilter[] = NO_FILTERS;
  /** No filter is asked any more: the stream has been answered locally (decoding) or is over (both). */
  protected decodingOver = false;
  protected encodingOver = false;
  #heldRequest: HeldMessage | null = null;
  #heldResponse: HeldMessage | null = null;

  /** Puts an arrived part of the message aside while a filter holds it. */
  protected abstract onRequestHeld(): void;
  protected abstract onRequestReleased(): void;
  protected abstract onResponseHeld(): void;
  protected abstract onResponseReleased(): void;
  /** What leaves the first filter. */
  protected abstract sendHeaders(headers: HeaderMap, endStream: boolean): void;
  protected abstract sendData(buffer: Buffer, start: number, end: number, endStream: boolean): void;
  protected abstract sendTrailers(trailers: HeaderMap): void;

  protected decodeHeadersFrom(from: number, headers: HeaderMap, endStream: boolean): void {
    for (let i = from; i < this.filters.length; i++) {
      const filter = this.filters[i] as HttpFilter;
      const status = filter.decodeHeaders(headers, endStream);
      if (this.decodingOver) return;
      if (status === FilterStatus.Continue) continue;
      if (status === FilterStatus.Taken) return;
      this.#holdRequest(i).headers(headers, endStream);
      return;
    }
  }

  protected decodeDataFrom(from: number, buffer: Buffer, start: number, end: number, endStream: boolean): void {
    const held = this.#heldRequest;
    if (held !== null && from <= held.at) {
      held.data(buffer, start, end, endStream);
      return;
    }
    for (let i = from; i < this.filters.length; i++) {
      const filter = this.filters[i] as HttpFilter;
      const status = filter.decodeData(buffer, start, end, endStream);
      if (this.decodingOver) return;
      if (status === FilterStatus.Continue) continue;
      if (status === FilterStatus.Taken) return;
      this.#holdRequest(i).data(buffer, start, end, endStream);
      return;
    }
  }

  protected decodeTrailersFrom(from: number, trailers: HeaderMap): void {
    const held = this.#heldRequest;
    if (held !== null && from <= held.at) {
      held.trailers = trailers;
      return;
    }
    for (let i = from; i < this.filters.length; i++) {
      const filter = this.filters[i] as HttpFilter;
      const status = filter.decodeTrailers(trailers);
      if (this.decodingOver) return;
      if (status === FilterStatus.Continue) continue;
      if (status === FilterStatus.Taken) return;
      this.#holdRequest(i).trailers = trailers;
      return;
    }
  }

  protected encodeHeadersFrom(from: number, headers: HeaderMap, endStream: boolean): void {
    for (let i = from; i >= 0; i--) {
      const filter = this.filters[i] as HttpFilter;
      const status = filter.encodeHeaders(headers, endStream);
      if (this.encodingOver) return;
      if (status === FilterStatus.Continue) continue;
      if (status === FilterStatus.Taken) return;
      this.#holdResponse(i).headers(headers, endStream);
      return;
    }
    this.sendHeaders(headers, endStream);
  }

  protected encodeDataFrom(from: number, buffer: Buffer, start: number, end: number, endStream: boolean): void {
    const held = this.#heldResponse;
    if (held !== null && from >= held.at) {
      held.data(buffer, start, end, endStream);
      return;
    }
    for (let i = from; i >= 0; i--) {
      const filter = this.filters[i] as HttpFilter;
      const status = filter.encodeData(buffer, start, end, endStream);
      if (this.encodingOver) return;
      if (status === FilterStatus.Continue) continue;
      if (status === FilterStatus.Taken) return;
      this.#holdResponse(i).data(buffer, start, end, endStream);
      return;
    }
    this.sendData(buffer, start, end, endStream);
  }

  protected encodeTrailersFrom(from: number, trailers: HeaderMap): void {
    const held = this.#heldResponse;
    if (held !== null && from >= held.at) {
      held.trailers = trailers;
      return;
    }
    for (let i = from; i >= 0; i--) {
      const filter = this.filters[i] as HttpFilter;
      const status = filter.encodeTrailers(trailers);
      if (this.encodingOver) return;
      if (status === FilterStatus.Continue) continue;
      if (status === FilterStatus.Taken) return;
      this.#holdResponse(i).trailers = trailers;
      return;
    }
    this.sendTrailers(trailers);
  }

  continueDecoding(filter: HttpFilter): void {
    const held = this.#heldRequest;
    if (held === null || held.at !== filter.index || this.decodingOver) return;
    this.#heldRequest = null;
    const next = held.at + 1;
    if (held.head !== null) this.decodeHeadersFrom(next, held.head, held.headEnds);
    for (const chunk of held.chunks) {
      if (this.decodingOver) return;
      const last = held.dataEnds && chunk === held.chunks[held.chunks.length - 1];
      this.decodeDataFrom(next, chunk, 0, chunk.length, last);
    }
    if (held.trailers !== null && !this.decodingOver) this.decodeTrailersFrom(next, held.trailers);
    if (!this.decodingOver) this.onRequestReleased();
  }

  continueEncoding(filter: HttpFilter): void {
    const held = this.#heldResponse;
    if (held === null || held.at !== filter.index || this.encodingOver) return;
    this.#heldResponse = null;
    const next = held.at - 1;
    if (held.head !== null) this.encodeHeadersFrom(next, held.head, held.headEnds);
    for (const chunk of held.chunks) {
      if (this.encodingOver) return;
      const last = held.dataEnds && chunk === held.chunks[held.chunks.length - 1];
      this.encodeDataFrom(next, chunk, 0, chunk.length, last);
    }
    if (held.trailers !== null && !this.encodingOver) this.encodeTrailersFrom(next, held.trailers);
    if (!this.encodingOver) this.onResponseReleased();
  }

  passRequestHeaders(filter: HttpFilter, headers: HeaderMap, endStream: boolean): void {
    if (!this.decodingOver) this.decodeHeadersFrom(filter.index + 1, headers, endStream);
  }

  passRequestData(filter: HttpFilter, buffer: Buffer, endStream: boolean): void {
    if (!this.decodingOver) this.decodeDataFrom(filter.index + 1, buffer, 0, buffer.length, endStream);
  }

  passRequestTrailers(filter: HttpFilter, trailers: HeaderMap): void {
    if (!this.decodingOver) this.decodeTrailersFrom(filter.index + 1, trailers);
  }

  passResponseHeaders(filter: HttpFilter, headers: HeaderMap, endStream: boolean): void {
    if (!this.encodingOver) this.encodeHeadersFrom(filter.index - 1, headers, endStream);
  }

  passResponseData(filter: HttpFilter, buffer: Buffer, endStream: boolean): void {
    if (!this.encodingOver) this.encodeDataFrom(filter.index - 1, buffer, 0, buffer.length, endStream);
  }

  passResponseTrailers(filter: HttpFilter, trailers: HeaderMap): void {
    if (!this.encodingOver) this.encodeTrailersFrom(filter.index - 1, trailers);
  }

  pauseResponse(): void {
    if (!this.encodingOver) this.onResponseHeld();
  }

  resumeResponse(): void {
    if (!this.encodingOver) this.onResponseReleased();
  }

  #holdRequest(at: number): HeldMessage {
    this.#heldRequest = new HeldMessage(at);
    this.onRequestHeld();
    return this.#heldRequest;
  }

  #holdResponse(at: number): HeldMessage {
    this.#heldResponse = new HeldMessage(at);
    this.onResponseHeld();
    return this.#heldResponse;
  }
}
