import type { HttpContext } from "@mixerless/wasm";
import type { HeaderMap } from "../http/header-map.ts";
import type { FilterStream, HttpFilter } from "../http/http-filter.ts";
import type { FlowSide } from "./message-flow.ts";

/** What the two directions ask of their filter. */
export interface SideOwner extends HttpFilter {
  /** The stream is over, or was answered by the plugin or for it. */
  readonly requestOver: boolean;
  readonly responseOver: boolean;
  readonly addedRequestTrailers: HeaderMap | null;
  readonly addedResponseTrailers: HeaderMap | null;
  resetStream(details: string): void;
}

export class RequestSide implements FlowSide {
  readonly #owner: SideOwner;
  readonly #stream: FilterStream;
  readonly #context: HttpContext;

  constructor(owner: SideOwner, stream: FilterStream, context: HttpContext) {
    this.#owner = owner;
    this.#stream = stream;
    this.#context = context;
  }

  get over(): boolean {
    return this.#owner.requestOver;
  }
  get edited(): boolean {
    return this.#context.requestBodyEdited;
  }
  get addedTrailers(): HeaderMap | null {
    return this.#owner.addedRequestTrailers;
  }
  onHeaders(endStream: boolean): number {
    return this.#context.onRequestHeaders(endStream);
  }
  onBody(bytes: Buffer, endStream: boolean): number {
    return this.#context.onRequestBody(bytes, endStream);
  }
  onTrailers(): number {
    return this.#context.onRequestTrailers();
  }
  take(): Buffer {
    return this.#context.takeRequestBody();
  }
  passHeaders(headers: HeaderMap, endStream: boolean): void {
    this.#stream.passRequestHeaders(this.#owner, headers, endStream);
  }
  passData(buffer: Buffer, endStream: boolean): void {
    this.#stream.passRequestData(this.#owner, buffer, endStream);
  }
  passTrailers(trailers: HeaderMap): void {
    this.#stream.passRequestTrailers(this.#owner, trailers);
  }
  pause(): void {
    this.#stream.pauseRequest();
  }
  resume(): void {
    this.#stream.resumeRequest();
  }
  reset(details: string): void {
    this.#owner.resetStream(details);
  }
}

export class ResponseSide implements FlowSide {
  readonly #owner: SideOwner;
  readonly #stream: FilterStream;
  readonly #context: HttpContext;

  constructor(owner: SideOwner, stream: FilterStream, context: HttpContext) {
    this.#owner = owner;
    this.#stream = stream;
    this.#context = context;
  }

  get over(): boolean {
    return this.#owner.responseOver;
  }
  get edited(): boolean {
    return this.#context.responseBodyEdited;
  }
  get addedTrailers(): HeaderMap | null {
    return this.#owner.addedResponseTrailers;
  }
  onHeaders(endStream: boolean): number {
    return this.#context.onResponseHeaders(endStream);
  }
  onBody(bytes: Buffer, endStream: boolean): number {
    return this.#context.onResponseBody(bytes, endStream);
  }
  onTrailers(): number {
    return this.#context.onResponseTrailers();
  }
  take(): Buffer {
    return this.#context.takeResponseBody();
  }
  passHeaders(headers: HeaderMap, endStream: boolean): void {
    this.#stream.passResponseHeaders(this.#owner, headers, endStream);
  }
  passData(buffer: Buffer, endStream: boolean): void {
    this.#stream.passResponseData(this.#owner, buffer, endStream);
  }
  passTrailers(trailers: HeaderMap): void {
    this.#stream.passResponseTrailers(this.#owner, trailers);
  }
  pause(): void {
    this.#stream.pauseResponse();
  }
  resume(): void {
    this.#stream.resumeResponse();
  }
  reset(details: string): void {
    this.#owner.resetStream(details);
  }
}
