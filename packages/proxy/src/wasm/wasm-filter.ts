import { FAILED_REPLY, type HttpContext, type HttpStreamHost, type LocalReply, type StateSpan } from "@mixerless/wasm";
import type { AttributeScope, AttributeSource } from "../extension-host/attributes/attribute.ts";
import { HeaderMap } from "../http/header-map.ts";
import { HeaderName } from "../http/header-name.ts";
import { FilterStatus, type FilterStream, HttpFilter } from "../http/http-filter.ts";
import type { ListenerFacts, StreamInfo } from "../stream/stream-info.ts";
import { type FlowSide, MessageFlow } from "./message-flow.ts";

const REQUEST_HEADERS = 0;
const REQUEST_TRAILERS = 1;
const RESPONSE_HEADERS = 2;
const RESPONSE_TRAILERS = 3;

/** A Wasm plugin on one HTTP stream. */
export class WasmFilter extends HttpFilter implements HttpStreamHost, AttributeSource {
  readonly scope: AttributeScope;
  /** Null: no version of the plugin works, and streams must not go on without it. */
  #context: HttpContext | null = null;
  readonly #request: MessageFlow;
  readonly #response: MessageFlow;
  #requestSeen = false;
  #answered = false;
  /** The plugin has failed, and its stream was answered for that: the answer doesn't come to it. */
  #failed = false;
  #over = false;
  #addedRequestTrailers: HeaderMap | null = null;
  #addedResponseTrailers: HeaderMap | null = null;

  constructor(stream: FilterStream, scope: AttributeScope) {
    super(stream);
    this.scope = scope;
    this.#request = new MessageFlow(this.#requestSide());
    this.#response = new MessageFlow(this.#responseSide());
  }

  attach(context: HttpContext): void {
    this.#context = context;
  }

  override decodeHeaders(headers: HeaderMap, endStream: boolean): number {
    this.#requestSeen = true;
    if (this.#context !== null) return this.#request.headers(headers, endStream);
    this.sendLocalReply(FAILED_REPLY);
    return FilterStatus.Taken;
  }

  override decodeData(buffer: Buffer, start: number, end: number, endStream: boolean): number {
    if (this.#context === null) return FilterStatus.Continue;
    return this.#request.data(buffer.subarray(start, end), endStream);
  }

  override decodeTrailers(trailers: HeaderMap): number {
    return this.#context === null ? FilterStatus.Continue : this.#request.trailers(trailers);
  }

  override encodeHeaders(headers: HeaderMap, endStream: boolean): number {
    if (this.#context === null || this.#passes) return FilterStatus.Continue;
    return this.#response.headers(headers, endStream);
  }

  override encodeData(buffer: Buffer, start: number, end: number, endStream: boolean): number {
    if (this.#context === null || this.#passes) return FilterStatus.Continue;
    return this.#response.data(buffer.subarray(start, end), endStream);
  }

  override encodeTrailers(trailers: HeaderMap): number {
    if (this.#context === null || this.#passes) return FilterStatus.Continue;
    return this.#response.trailers(trailers);
  }

  override onLog(): void {
    this.#over = true;
    this.#context?.onLog();
    this.#context?.onDestroy();
    this.#context = null;
  }

  // The stream as the plugin's host asks for it.

  get attributes(): object {
    return this;
  }
  get info(): StreamInfo {
    return this.stream.info;
  }
  get listener(): ListenerFacts {
    return this.stream.info.listener;
  }

  headers(map: number): HeaderMap | null {
    const { info } = this.stream;
    switch (map) {
      case REQUEST_HEADERS:
        return info.requestHeaders;
      case REQUEST_TRAILERS:
        return info.requestTrailers;
      case RESPONSE_HEADERS:
        return info.responseHeaders;
      case RESPONSE_TRAILERS:
        return info.responseTrailers;
      default:
        return null;
    }
  }

  addTrailers(map: number): HeaderMap | null {
    const trailers = new HeaderMap();
    if (map === REQUEST_TRAILERS) {
      this.#addedRequestTrailers = trailers;
      this.stream.info.requestTrailers = trailers;
    } else {
      this.#addedResponseTrailers = trailers;
      this.stream.info.responseTrailers = trailers;
    }
    return trailers;
  }

  continueRequest(): void {
    if (!this.#over) this.#request.resume();
  }

  continueResponse(): void {
    if (!this.#over) this.#response.resume();
  }

  sendLocalReply(reply: LocalReply): void {
    this.#answered = true;
    if (reply === FAILED_REPLY) this.#failed = true;
    this.stream.sendLocalReply({
      ...{ status: reply.status, body: reply.body, details: reply.details, flags: 0, grpcStatus: reply.grpcStatus },
      edit: (headers) => {
        for (const [name, value] of reply.headers) headers.add(HeaderName.transient(name), value);
      },
    });
  }

  resetStream(details: string): void {
    this.#over = true;
    this.stream.resetStream(details);
  }

  clearRouteCache(): void {
    if (!this.#over) this.stream.chooseRouteAgain();
  }

  getState(name: string): string | null {
    const value = this.stream.info.filterState.get(name);
    return typeof value === "string" ? value : null;
  }

  setState(name: string, value: string, span: StateSpan): void {
    this.stream.info.filterState.replace(name, value, span === "connection");
  }

  /** Responses to requests that never came here, and to failure, pass by the plugin. */
  get #passes(): boolean {
    return !this.#requestSeen || this.#failed;
  }

  #requestSide(): FlowSide {
    const filter = this;
    const { stream } = this;
    return {
      get over() {
        return filter.#answered || filter.#over;
      },
      onHeaders: (end) => this.#context?.onRequestHeaders(end) ?? 0,
      onBody: (bytes, end) => this.#context?.onRequestBody(bytes, end) ?? 0,
      onTrailers: () => this.#context?.onRequestTrailers() ?? 0,
      take: () => this.#context?.takeRequestBody() ?? NOTHING,
      get edited() {
        return filter.#context?.requestBodyEdited ?? false;
      },
      get addedTrailers() {
        return filter.#addedRequestTrailers;
      },
      passHeaders: (headers, end) => stream.passRequestHeaders(this, headers, end),
      passData: (buffer, end) => stream.passRequestData(this, buffer, end),
      passTrailers: (trailers) => stream.passRequestTrailers(this, trailers),
      pause: () => stream.pauseRequest(),
      resume: () => stream.resumeRequest(),
      reset: (details) => this.resetStream(details),
    };
  }

  #responseSide(): FlowSide {
    const filter = this;
    const { stream } = this;
    return {
      get over() {
        return filter.#over;
      },
      onHeaders: (end) => this.#context?.onResponseHeaders(end) ?? 0,
      onBody: (bytes, end) => this.#context?.onResponseBody(bytes, end) ?? 0,
      onTrailers: () => this.#context?.onResponseTrailers() ?? 0,
      take: () => this.#context?.takeResponseBody() ?? NOTHING,
      get edited() {
        return filter.#context?.responseBodyEdited ?? false;
      },
      get addedTrailers() {
        return filter.#addedResponseTrailers;
      },
      passHeaders: (headers, end) => stream.passResponseHeaders(this, headers, end),
      passData: (buffer, end) => stream.passResponseData(this, buffer, end),
      passTrailers: (trailers) => stream.passResponseTrailers(this, trailers),
      pause: () => stream.pauseResponse(),
      resume: () => stream.resumeResponse(),
      reset: (details) => this.resetStream(details),
    };
  }
}

const NOTHING = Buffer.alloc(0);
