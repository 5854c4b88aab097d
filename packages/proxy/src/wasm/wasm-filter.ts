import {
  FAILED_REPLY,
  HeaderMapType,
  type HttpContext,
  type HttpStreamHost,
  type LocalReply,
  type StateSpan,
} from "@mixerless/wasm";
import type { AttributeScope, AttributeSource } from "../extension-host/attributes/attribute.ts";
import { HeaderMap } from "../http/header-map.ts";
import { HeaderName } from "../http/header-name.ts";
import { FilterStatus, type FilterStream, HttpFilter } from "../http/http-filter.ts";
import type { ListenerFacts, StreamInfo } from "../stream/stream-info.ts";
import { MessageFlow } from "./message-flow.ts";
import { streamHeaders } from "./stream-headers.ts";
import { RequestSide, ResponseSide, type SideOwner } from "./wasm-sides.ts";

/** A Wasm plugin on one HTTP stream. */
export class WasmFilter extends HttpFilter implements HttpStreamHost, AttributeSource, SideOwner {
  readonly scope: AttributeScope;
  /** Null: no version of the plugin works, and streams must not go on without it. */
  #context: HttpContext | null = null;
  #request: MessageFlow | null = null;
  #response: MessageFlow | null = null;
  #requestSeen = false;
  #answered = false;
  /** The plugin has failed, and its stream was answered for that: the answer doesn't come to it. */
  #failed = false;
  #over = false;
  addedRequestTrailers: HeaderMap | null = null;
  addedResponseTrailers: HeaderMap | null = null;

  constructor(stream: FilterStream, scope: AttributeScope) {
    super(stream);
    this.scope = scope;
  }

  attach(context: HttpContext): void {
    this.#context = context;
    this.#request = new MessageFlow(new RequestSide(this, this.stream, context));
    this.#response = new MessageFlow(new ResponseSide(this, this.stream, context));
  }

  override decodeHeaders(headers: HeaderMap, endStream: boolean): number {
    this.#requestSeen = true;
    if (this.#request !== null) return this.#request.headers(headers, endStream);
    this.sendLocalReply(FAILED_REPLY);
    return FilterStatus.Taken;
  }

  override decodeData(buffer: Buffer, start: number, end: number, endStream: boolean): number {
    if (this.#request === null) return FilterStatus.Continue;
    return this.#request.data(buffer.subarray(start, end), endStream);
  }

  override decodeTrailers(trailers: HeaderMap): number {
    return this.#request === null ? FilterStatus.Continue : this.#request.trailers(trailers);
  }

  override encodeHeaders(headers: HeaderMap, endStream: boolean): number {
    if (this.#response === null || this.#passes) return FilterStatus.Continue;
    return this.#response.headers(headers, endStream);
  }

  override encodeData(buffer: Buffer, start: number, end: number, endStream: boolean): number {
    if (this.#response === null || this.#passes) return FilterStatus.Continue;
    return this.#response.data(buffer.subarray(start, end), endStream);
  }

  override encodeTrailers(trailers: HeaderMap): number {
    if (this.#response === null || this.#passes) return FilterStatus.Continue;
    return this.#response.trailers(trailers);
  }

  override onLog(): void {
    this.#over = true;
    this.#context?.onLog();
    this.#context?.onDestroy();
    this.#context = null;
  }

  // The stream as the plugin's host asks for it.

  get requestOver(): boolean {
    return this.#answered || this.#over;
  }
  get responseOver(): boolean {
    return this.#over;
  }

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
    return streamHeaders(this.stream.info, map);
  }

  addTrailers(map: number): HeaderMap | null {
    const trailers = new HeaderMap();
    if (map === HeaderMapType.RequestTrailers) {
      this.addedRequestTrailers = trailers;
      this.stream.info.requestTrailers = trailers;
    } else {
      this.addedResponseTrailers = trailers;
      this.stream.info.responseTrailers = trailers;
    }
    return trailers;
  }

  continueRequest(): void {
    if (!this.#over) this.#request?.resume();
  }

  continueResponse(): void {
    if (!this.#over) this.#response?.resume();
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
}
