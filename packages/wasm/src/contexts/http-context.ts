import {
  BodyResult,
  BufferType,
  FlowResult,
  HeaderMapType,
  HeadersResult,
  Status,
  StreamType,
} from "../hostcalls/status.ts";
import type { Callback } from "../vm/callbacks.ts";
import type { HeaderFields, HttpStreamHost, LocalReply } from "../vm/stream-host.ts";
import { FAILED, type WasmVm } from "../vm/vm.ts";
import type { GuestBuffer } from "./guest-buffer.ts";
import { HttpDirection } from "./http-direction.ts";
import type { RootContext } from "./root-context.ts";
import { FAILED_REPLY, StreamContext } from "./stream-context.ts";

/**
 * One HTTP stream of a plugin. The proxy calls the methods as the stream goes on and obeys what they answer; when the
 * plugin resumes a paused direction later, the stream's host is told.
 */
export class HttpContext extends StreamContext {
  readonly stream: HttpStreamHost;
  readonly #request = new HttpDirection(HeaderMapType.RequestHeaders, HeaderMapType.RequestTrailers);
  readonly #response = new HttpDirection(HeaderMapType.ResponseHeaders, HeaderMapType.ResponseTrailers);
  #routeCleared = false;
  #logging = false;
  #logged = false;
  /** A local reply has been sent, by the plugin or because it failed; there is one per stream. */
  #answered = false;
  #failed = false;

  constructor(vm: WasmVm, root: RootContext, stream: HttpStreamHost, onEnd: () => void) {
    super(vm, root, onEnd);
    this.stream = stream;
  }

  /** The request's headers have come. One of {@link HeadersResult}. */
  onRequestHeaders(endOfStream: boolean): number {
    if (this.over) return HeadersResult.Continue;
    if (!this.create()) return this.#failure(HeadersResult.StopAllAndWatermark);
    return this.#onHeaders(this.#request, this.vm.callbacks.proxy_on_request_headers, endOfStream);
  }

  /** One of {@link BodyResult}. After Continue, {@link takeRequestBody} has what goes on. */
  onRequestBody(bytes: Buffer, endOfStream: boolean): number {
    return this.#onBody(this.#request, this.vm.callbacks.proxy_on_request_body, bytes, endOfStream);
  }

  /** One of {@link FlowResult}. */
  onRequestTrailers(): number {
    return this.#onTrailers(this.#request, this.vm.callbacks.proxy_on_request_trailers);
  }

  onRequestMetadata(count: number): void {
    this.#onMetadata(this.vm.callbacks.proxy_on_request_metadata, count);
  }

  onResponseHeaders(endOfStream: boolean): number {
    if (!this.#takesPart) return HeadersResult.Continue;
    return this.#onHeaders(this.#response, this.vm.callbacks.proxy_on_response_headers, endOfStream);
  }

  onResponseBody(bytes: Buffer, endOfStream: boolean): number {
    return this.#onBody(this.#response, this.vm.callbacks.proxy_on_response_body, bytes, endOfStream);
  }

  onResponseTrailers(): number {
    return this.#onTrailers(this.#response, this.vm.callbacks.proxy_on_response_trailers);
  }

  onResponseMetadata(count: number): void {
    this.#onMetadata(this.vm.callbacks.proxy_on_response_metadata, count);
  }

  /** What goes on now: everything that was held back and the last piece, as the plugin has left it. */
  takeRequestBody(): Buffer {
    return this.#request.body.take();
  }

  takeResponseBody(): Buffer {
    return this.#response.body.take();
  }

  /** True where the plugin has changed what {@link takeRequestBody} will give: the announced length is wrong then. */
  get requestBodyEdited(): boolean {
    return this.#request.body.edited;
  }

  get responseBodyEdited(): boolean {
    return this.#response.body.edited;
  }

  /** The stream is complete and its facts are known. All header maps can be read, none changed. */
  onLog(): void {
    const { proxy_on_log: log } = this.vm.callbacks;
    if (this.over || this.#logged || this.#failed || !this.create()) return;
    this.#logged = true;
    this.#logging = true;
    if (log !== null) this.vm.run(log, this);
    this.#logging = false;
  }

  /** The stream is gone. Calling it again does nothing. */
  onDestroy(): void {
    for (const direction of [this.#request, this.#response]) {
      direction.headers = null;
      direction.trailers = null;
      direction.body.clear();
    }
    this.end(() => {});
  }

  // What host calls ask for.

  override get logging(): boolean {
    return this.#logging;
  }

  override readable(map: number): HeaderFields | null {
    if (this.#logging) return this.stream.headers(map);
    const attached = this.#directionOf(map)?.map(map) ?? null;
    // Request headers can be read all the time: more than Envoy gives, and it saves careless plugins.
    return attached === null && map === HeaderMapType.RequestHeaders && !this.over
      ? this.stream.headers(map)
      : attached;
  }

  override writable(map: number): HeaderFields | null {
    if (this.#logging) return null;
    const direction = this.#directionOf(map);
    if (direction === null) return null;
    const attached = direction.map(map);
    if (attached !== null || map !== direction.trailersMap || !direction.atEnd) return attached;
    direction.trailers = this.stream.addTrailers(map);
    return direction.trailers;
  }

  override changed(map: number): void {
    if (map === HeaderMapType.RequestHeaders) this.clearRouteCache();
  }

  override buffer(type: number): GuestBuffer | null {
    if (type === BufferType.RequestBody) return this.#request.bodyOpen ? this.#request.body : null;
    if (type === BufferType.ResponseBody) return this.#response.bodyOpen ? this.#response.body : null;
    return super.buffer(type);
  }

  override continueStream(type: number): number {
    if (type === StreamType.Request) this.vm.defer(() => this.#resume(this.#request));
    else if (type === StreamType.Response) this.vm.defer(() => this.#resume(this.#response));
    else return super.continueStream(type);
    return Status.Ok;
  }

  override closeStream(type: number): number {
    if (type !== StreamType.Request && type !== StreamType.Response) return super.closeStream(type);
    this.vm.defer(() => {
      if (!this.over) this.stream.resetStream("wasm_close_stream");
    });
    return Status.Ok;
  }

  override sendLocalReply(reply: LocalReply): number {
    for (const direction of [this.#request, this.#response]) if (direction.running) direction.replied = true;
    if (this.#answered) return Status.Ok;
    this.#answered = true;
    this.vm.defer(() => {
      if (!this.over) this.stream.sendLocalReply(reply);
    });
    return Status.Ok;
  }

  /** Once per callback, however often it is asked for. */
  override clearRouteCache(): void {
    if (this.#routeCleared) return;
    this.#routeCleared = true;
    this.vm.defer(() => {
      this.#routeCleared = false;
      this.stream.clearRouteCache();
    });
  }

  /** The VM has failed: what the plugin holds back must not wait for ever. */
  override abandon(): void {
    const held = [this.#request, this.#response].filter(({ paused }) => paused);
    if (held.length === 0 || this.over) return;
    if (this.root.plugin.failOpen) for (const direction of held) this.#resume(direction);
    else this.#failure(0);
  }

  // How callbacks are made.

  get #takesPart(): boolean {
    return this.created && !this.over;
  }

  #directionOf(map: number): HttpDirection | null {
    if (map === HeaderMapType.RequestHeaders || map === HeaderMapType.RequestTrailers) return this.#request;
    return map === HeaderMapType.ResponseHeaders || map === HeaderMapType.ResponseTrailers ? this.#response : null;
  }

  #onHeaders(direction: HttpDirection, callback: Callback | null, endOfStream: boolean): number {
    if (this.#failed) return this.#failure(HeadersResult.StopAllAndWatermark);
    if (callback === null) return HeadersResult.Continue;
    const headers = this.stream.headers(direction.headersMap);
    direction.headers = headers;
    const result = this.#run(direction, callback, headers?.size ?? 0, endOfStream ? 1 : 0);
    if (result === FAILED) return this.#failure(HeadersResult.StopAllAndWatermark);
    const answer = this.#headersAnswer(direction, result);
    if (answer === HeadersResult.Continue || answer === HeadersResult.ContinueAndEndStream) direction.headers = null;
    else direction.paused = !direction.replied;
    return answer;
  }

  /** The conversions of [proxy-wasm §6.6]. */
  #headersAnswer(direction: HttpDirection, result: number): number {
    if (direction.replied) return HeadersResult.StopAllAndWatermark;
    if (direction.resumed) return HeadersResult.Continue;
    const unsigned = result >>> 0;
    if (unsigned > HeadersResult.StopAllAndWatermark) return HeadersResult.StopAllAndWatermark;
    const stopsAll = unsigned === HeadersResult.StopIteration && !this.root.plugin.allowHeadersStop;
    return stopsAll ? HeadersResult.StopAllAndWatermark : unsigned;
  }

  #onBody(direction: HttpDirection, callback: Callback | null, bytes: Buffer, endOfStream: boolean): number {
    if (!this.#takesPart || this.#failed || callback === null) return this.#passBody(direction, bytes);
    const { body } = direction;
    if (direction.paused && body.size + bytes.length > this.vm.limits.bodyBytes) return this.#overflow(direction);
    body.add(bytes);
    direction.bodyOpen = true;
    direction.atEnd = endOfStream;
    const result = this.#run(direction, callback, body.size, endOfStream ? 1 : 0);
    direction.bodyOpen = false;
    direction.atEnd = false;
    if (result === FAILED) return this.#bodyFailure(direction);
    const unsigned =
      direction.replied || result >>> 0 > BodyResult.StopNoBuffer ? BodyResult.StopNoBuffer : result >>> 0;
    if (unsigned === BodyResult.Continue || direction.resumed) {
      direction.paused = false;
      return BodyResult.Continue;
    }
    if (unsigned === BodyResult.StopNoBuffer) body.clear();
    else body.keep();
    direction.paused = !direction.replied;
    direction.bodyOpen = direction.paused;
    return unsigned;
  }

  /** The plugin has nothing to say about this piece; what it held before goes along. */
  #passBody(direction: HttpDirection, bytes: Buffer): number {
    if (this.#failed && !this.root.plugin.failOpen) return BodyResult.StopNoBuffer;
    direction.body.add(bytes);
    return BodyResult.Continue;
  }

  #bodyFailure(direction: HttpDirection): number {
    const answer = this.#failure(BodyResult.StopNoBuffer);
    if (answer !== BodyResult.Continue) direction.body.clear();
    return answer;
  }

  #overflow(direction: HttpDirection): number {
    this.vm.hit("bodyBytes");
    direction.body.clear();
    direction.bodyOpen = false;
    const request = direction === this.#request;
    const details = request ? "request_payload_too_large" : "response_payload_too_large";
    if (!this.#answered) {
      this.#answered = true;
      this.stream.sendLocalReply({ ...FAILED_REPLY, status: request ? 413 : 500, details, grpcStatus: null });
    }
    return BodyResult.StopNoBuffer;
  }

  #onTrailers(direction: HttpDirection, callback: Callback | null): number {
    if (!this.#takesPart) return FlowResult.Continue;
    if (this.#failed) return this.#failure(FlowResult.Stop);
    if (callback === null) return FlowResult.Continue;
    const trailers = this.stream.headers(direction.trailersMap);
    direction.trailers = trailers;
    direction.bodyOpen = direction.body.size > 0;
    const result = this.#run(direction, callback, trailers?.size ?? 0, 0);
    direction.bodyOpen = false;
    if (result === FAILED) return this.#failure(FlowResult.Stop);
    if (!direction.replied && (result === 0 || direction.resumed)) {
      direction.trailers = null;
      direction.paused = false;
      return FlowResult.Continue;
    }
    direction.paused = !direction.replied;
    return FlowResult.Stop;
  }

  #onMetadata(callback: Callback | null, count: number): void {
    if (this.#takesPart && !this.#failed && callback !== null) this.vm.run(callback, this, count);
  }

  #run(direction: HttpDirection, callback: Callback, a: number, b: number): number {
    direction.begin();
    const result = this.vm.run(callback, this, a, b);
    direction.running = false;
    return result;
  }

  #resume(direction: HttpDirection): void {
    if (this.over) return;
    if (direction.running) {
      direction.resumed = true;
      return;
    }
    if (!direction.paused) return;
    direction.paused = false;
    if (direction === this.#request) this.stream.continueRequest();
    else this.stream.continueResponse();
  }

  /** What a callback answers whose VM has failed: by the plugin's policy. */
  #failure(stop: number): number {
    const { plugin } = this.root;
    const first = !this.#failed;
    this.#failed = true;
    if (plugin.failOpen) {
      if (first) plugin.usage.bypassedStreams++;
      return 0;
    }
    if (first) plugin.usage.failedStreams++;
    if (!this.#answered) {
      this.#answered = true;
      this.stream.sendLocalReply(FAILED_REPLY);
    }
    return stop;
  }
}
