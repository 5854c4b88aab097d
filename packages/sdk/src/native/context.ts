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
  readonly host: RootHandle;

  constructor(host: RootHandle) {
    this.host = host;
  }

  /** `configuration` is a byte string, usually JSON in UTF-8; empty if there is none. False refuses it. */
  onConfigure(_configuration: string): boolean {
    return true;
  }

  abstract createStream(host: StreamHandle): StreamContext;

  /** Called every {@link setTickPeriod}. */
  onTick(): void {}

  counter(name: string, labels: string[], values: string[]): CounterHandle {
    return this.host.counter(name, labels, values);
  }

  gauge(name: string, labels: string[], values: string[]): GaugeHandle {
    return this.host.gauge(name, labels, values);
  }

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

  getNumber(property: Property, missing: f64): f64 {
    return this.host.rootNumber(property, missing);
  }

  /** Wall-clock time, nanoseconds since the epoch. */
  now(): f64 {
    return this.host.now();
  }

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
  readonly host: StreamHandle;

  constructor(host: StreamHandle) {
    this.host = host;
  }

  onRequestHeaders(_count: i32, _end: boolean): i32 {
    return CONTINUE;
  }

  onRequestBody(_size: i32, _end: boolean): i32 {
    return CONTINUE;
  }

  onRequestTrailers(_count: i32): i32 {
    return CONTINUE;
  }

  onResponseHeaders(_count: i32, _end: boolean): i32 {
    return CONTINUE;
  }

  onResponseBody(_size: i32, _end: boolean): i32 {
    return CONTINUE;
  }

  onResponseTrailers(_count: i32): i32 {
    return CONTINUE;
  }

  onNewConnection(): i32 {
    return CONTINUE;
  }

  onDownstreamData(_size: i32, _end: boolean): i32 {
    return CONTINUE;
  }

  onUpstreamData(_size: i32, _end: boolean): i32 {
    return CONTINUE;
  }

  /** `peer`: 1 closed by us, 2 closed by the other side. */
  onDownstreamClose(_peer: i32): void {}

  onUpstreamClose(_peer: i32): void {}

  /** The stream is complete; all its facts are known; headers can be read and no longer changed. */
  onLog(): void {}

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

  replaceHeader(map: i32, name: HeaderName, value: HeaderValue): void {
    this.host.replaceHeader(map, name, value);
  }

  /** For a value that is not known before the stream. */
  replaceHeaderText(map: i32, name: HeaderName, value: string): void {
    this.host.replaceHeader(map, name, new HeaderValue(value));
  }

  removeHeader(map: i32, name: HeaderName): void {
    this.host.removeHeader(map, name);
  }

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
