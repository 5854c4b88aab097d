import { CONTINUE } from "./constants.ts";
import type {
  CounterHandle,
  ExpressionHandle,
  GaugeHandle,
  HistogramHandle,
  RootHandle,
  StreamHandle,
} from "./handles.ts";
import { type HeaderName, HeaderValue, type Property, type StateName } from "./names.ts";

/**
 * One configured instance of an extension. Lives as long as its configuration; makes one {@link StreamContext} per
 * stream. An override repeats all parameters of the method (AssemblyScript insists).
 */
export abstract class RootContext {
  /** What the proxy gives to this configuration. A plugin uses the methods below. */
  readonly host: RootHandle;

  constructor(host: RootHandle) {
    this.host = host;
  }

  /** `configuration` is a byte string, usually JSON in UTF-8; empty if there is none. False refuses it. */
  onConfigure(_configuration: string): boolean {
    return true;
  }

  /** Makes the context of a stream that begins. */
  abstract createStream(host: StreamHandle): StreamContext;

  /** Called every {@link setTickPeriod}. */
  onTick(): void {}

  /** The series of a counter: make it once, not for each stream. `labels` and `values` have equal length. */
  counter(name: string, labels: string[], values: string[]): CounterHandle {
    return this.host.counter(name, labels, values);
  }

  /** The series of a gauge. As {@link counter}. */
  gauge(name: string, labels: string[], values: string[]): GaugeHandle {
    return this.host.gauge(name, labels, values);
  }

  /** The series of a histogram. As {@link counter}. */
  histogram(name: string, labels: string[], values: string[]): HistogramHandle {
    return this.host.histogram(name, labels, values);
  }

  /** Compiles a CEL expression; null if it does not parse or calls functions that there are not. */
  expression(text: string): ExpressionHandle | null {
    return this.host.expression(text);
  }

  /** A property that needs no stream; null if absent. */
  getString(property: Property): string | null {
    return this.host.rootString(property);
  }

  /** A number or a boolean (0, 1) that needs no stream; `missing` if it is absent. */
  getNumber(property: Property, missing: f64): f64 {
    return this.host.rootNumber(property, missing);
  }

  /** Wall-clock time, nanoseconds since the epoch. */
  now(): f64 {
    return this.host.now();
  }

  /** Writes to the log of the proxy, by `LOG_INFO` and its neighbours. */
  log(level: i32, message: string): void {
    this.host.log(level, message);
  }

  /** Asks for {@link onTick} every `milliseconds`; 0 stops it. */
  setTickPeriod(milliseconds: i32): void {
    this.host.setTickPeriod(milliseconds);
  }
}

/**
 * One HTTP stream or one TCP connection. HTTP: `onRequestHeaders` … `onResponseTrailers`, then `onLog`, `onDone`,
 * `onDelete`. A stream that was answered before this extension saw it gets only `onLog`, `onDone`, `onDelete`.
 * TCP: `onNewConnection`, data and close callbacks, then `onDone`, `onLog`, `onDelete`.
 */
export abstract class StreamContext {
  /** What the proxy gives to this stream. A plugin uses the methods below. */
  readonly host: StreamHandle;

  constructor(host: StreamHandle) {
    this.host = host;
  }

  /** The request headers have come; `end`: there is no body. CONTINUE or PAUSE. */
  onRequestHeaders(_count: i32, _end: boolean): i32 {
    return CONTINUE;
  }

  /** A piece of the request body has come; `size` counts what is at hand, `end` marks the last. CONTINUE or PAUSE. */
  onRequestBody(_size: i32, _end: boolean): i32 {
    return CONTINUE;
  }

  /** The trailers of the request have come. CONTINUE or PAUSE. */
  onRequestTrailers(_count: i32): i32 {
    return CONTINUE;
  }

  /** The response headers have come; `end`: there is no body. CONTINUE or PAUSE. */
  onResponseHeaders(_count: i32, _end: boolean): i32 {
    return CONTINUE;
  }

  /** A piece of the response body has come. As {@link onRequestBody}. */
  onResponseBody(_size: i32, _end: boolean): i32 {
    return CONTINUE;
  }

  /** The trailers of the response have come. CONTINUE or PAUSE. */
  onResponseTrailers(_count: i32): i32 {
    return CONTINUE;
  }

  /** A TCP connection has been accepted. CONTINUE or PAUSE. */
  onNewConnection(): i32 {
    return CONTINUE;
  }

  /** Bytes of the client have come. CONTINUE or PAUSE. */
  onDownstreamData(_size: i32, _end: boolean): i32 {
    return CONTINUE;
  }

  /** Bytes for the client have come. CONTINUE or PAUSE. */
  onUpstreamData(_size: i32, _end: boolean): i32 {
    return CONTINUE;
  }

  /** `peer`: 1 closed by us, 2 closed by the other side. */
  onDownstreamClose(_peer: i32): void {}

  /** As {@link onDownstreamClose}, of the side of the upstream. */
  onUpstreamClose(_peer: i32): void {}

  /**
   * The answer to {@link httpCall} has come. No headers: the connection was reset. A time-out is an answer with the
   * status 504, a failed connection one with 503.
   */
  onHttpCallResponse(_token: i32, _headers: i32, _bodySize: i32): void {}

  /** The stream is complete; all its facts are known; headers can be read and no longer changed. */
  onLog(): void {}

  /** Nothing more will come. HTTP: after {@link onLog}; TCP: before it. */
  onDone(): void {}

  /** The last call. */
  onDelete(): void {}

  /**
   * To be called before a callback of the root (`onTick`) reads this stream: in Wasm the host must be told whose
   * attributes are meant. It holds until the callback returns or another stream is activated.
   */
  activate(): void {}

  /** Null where the attribute is absent. */
  getString(property: Property): string | null {
    return this.host.getString(property);
  }

  /** Integers, durations in nanoseconds, booleans as 0 and 1. */
  getNumber(property: Property, missing: f64): f64 {
    return this.host.getNumber(property, missing);
  }

  /** The first value of the header, or null. */
  getHeader(map: i32, name: HeaderName): string | null {
    return this.host.getHeader(map, name);
  }

  /** Byte length of the header's first value; −1 if it is absent. */
  headerSize(map: i32, name: HeaderName): i32 {
    return this.host.headerSize(map, name);
  }

  /** Sets the header to exactly this value. */
  replaceHeader(map: i32, name: HeaderName, value: HeaderValue): void {
    this.host.replaceHeader(map, name, value);
  }

  /** For a value that is not known before the stream. */
  replaceHeaderText(map: i32, name: HeaderName, value: string): void {
    this.host.replaceHeader(map, name, new HeaderValue(value));
  }

  /** Adds a header beside those of the same name. */
  addHeader(map: i32, name: HeaderName, value: HeaderValue): void {
    this.host.addHeader(map, name, value);
  }

  /** Removes all headers of this name. */
  removeHeader(map: i32, name: HeaderName): void {
    this.host.removeHeader(map, name);
  }

  /**
   * Answers in place of the upstream; return PAUSE afterwards. `headers` holds names and values in turn:
   * `["content-type", "text/plain"]`.
   */
  sendLocalReply(status: i32, body: string, headers: string[]): void {
    this.host.sendLocalReply(status, body, headers);
  }

  /** In `onRequestBody`: the bytes at hand, those held back by PAUSE among them. A byte string. */
  getRequestBody(): string {
    return this.host.getBody(false);
  }

  /** In `onRequestBody`: other bytes in place of those at hand. */
  setRequestBody(body: string): void {
    this.host.setBody(false, body);
  }

  /** In `onResponseBody`: as {@link getRequestBody}. */
  getResponseBody(): string {
    return this.host.getBody(true);
  }

  /** In `onResponseBody`: as {@link setRequestBody}. */
  setResponseBody(body: string): void {
    this.host.setBody(true, body);
  }

  /** Goes on with the request after a callback has answered PAUSE. */
  continueRequest(): void {
    this.host.resume(false);
  }

  /** Goes on with the response after a callback has answered PAUSE. */
  continueResponse(): void {
    this.host.resume(true);
  }

  /**
   * Sends a request to a cluster, such as `outbound|8080||auth.default.svc.cluster.local`. `headers` holds names and
   * values in turn, `:method`, `:path` and `:authority` among them. Gives the number that {@link onHttpCallResponse} is
   * called with, or 0 where the call can't begin. Usually PAUSE is answered until then.
   */
  httpCall(cluster: string, headers: string[], body: string, milliseconds: i32): i32 {
    return this.host.httpCall(cluster, headers, body, milliseconds);
  }

  /** A header of the answer, in {@link onHttpCallResponse}: `:status` is the status. Null if it is absent. */
  getCallHeader(name: HeaderName): string | null {
    return this.host.getCallHeader(name);
  }

  /** The body of the answer, in {@link onHttpCallResponse}. A byte string. */
  getCallBody(): string {
    return this.host.getCallBody();
  }

  /** A note that a filter of this stream has left; null if there is none. */
  getState(name: StateName): string | null {
    return this.host.getState(name);
  }

  /** The first writer wins. */
  setState(name: StateName, value: string): void {
    this.host.setState(name, value);
  }

  /** The printed result, or null where evaluation fails. */
  evaluate(expression: ExpressionHandle): string | null {
    return expression.evaluate(this.host);
  }
}
