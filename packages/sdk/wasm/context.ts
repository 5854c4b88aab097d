import { CONTINUE } from "../src/native/constants";
import { awaitAnswer } from "./calls";
import {
  proxy_add_header_map_value,
  proxy_get_current_time_nanoseconds,
  proxy_remove_header_map_value,
  proxy_replace_header_map_value,
  proxy_set_effective_context,
  proxy_set_tick_period_milliseconds,
} from "./env";
import {
  CounterHandle,
  createExpression,
  ExpressionHandle,
  GaugeHandle,
  HistogramHandle,
  log,
  propertyNumber,
  propertyText,
  RootHandle,
  readHeader,
  StreamHandle,
  setState,
  stateText,
} from "./host";
import { drop, put, RESULT_CELL, release, size, takeText } from "./memory";
import { HeaderName, HeaderValue, Property, StateName } from "./names";
import { callBody, getBody, httpCall, resume, sendLocalReply, setBody } from "./streams";

const CALL_HEADERS: i32 = 6;

/** As in process. */
export abstract class RootContext {
  readonly host: RootHandle;

  constructor(host: RootHandle) {
    this.host = host;
  }

  onConfigure(_configuration: string): boolean {
    return true;
  }

  abstract createStream(host: StreamHandle): StreamContext;

  onTick(): void {}

  counter(name: string, labels: string[], values: string[]): CounterHandle {
    return new CounterHandle(name, labels, values);
  }

  gauge(name: string, labels: string[], values: string[]): GaugeHandle {
    return new GaugeHandle(name, labels, values);
  }

  histogram(name: string, labels: string[], values: string[]): HistogramHandle {
    return new HistogramHandle(name, labels, values);
  }

  expression(text: string): ExpressionHandle | null {
    return createExpression(text);
  }

  getString(property: Property): string | null {
    return propertyText(property);
  }

  getNumber(property: Property, missing: f64): f64 {
    return propertyNumber(property, missing);
  }

  now(): f64 {
    proxy_get_current_time_nanoseconds(RESULT_CELL);
    return <f64>load<u64>(RESULT_CELL);
  }

  log(level: i32, message: string): void {
    log(level, message);
  }

  setTickPeriod(milliseconds: i32): void {
    proxy_set_tick_period_milliseconds(milliseconds);
  }
}

/** As in process. */
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

  onDownstreamClose(_peer: i32): void {}

  onUpstreamClose(_peer: i32): void {}

  onHttpCallResponse(_token: i32, _headers: i32, _bodySize: i32): void {}

  onLog(): void {}

  onDone(): void {}

  onDelete(): void {}

  activate(): void {
    proxy_set_effective_context(this.host);
  }

  getString(property: Property): string | null {
    return propertyText(property);
  }

  getNumber(property: Property, missing: f64): f64 {
    return propertyNumber(property, missing);
  }

  getHeader(map: i32, name: HeaderName): string | null {
    return readHeader(map, name) ? takeText() : null;
  }

  headerSize(map: i32, name: HeaderName): i32 {
    if (!readHeader(map, name)) return -1;
    const length = size();
    release();
    return length;
  }

  replaceHeader(map: i32, name: HeaderName, value: HeaderValue): void {
    proxy_replace_header_map_value(map, name.at, name.size, value.at, value.text.length);
  }

  replaceHeaderText(map: i32, name: HeaderName, value: string): void {
    const at = put(value);
    proxy_replace_header_map_value(map, name.at, name.size, at, value.length);
    drop(at);
  }

  addHeader(map: i32, name: HeaderName, value: HeaderValue): void {
    proxy_add_header_map_value(map, name.at, name.size, value.at, value.text.length);
  }

  removeHeader(map: i32, name: HeaderName): void {
    proxy_remove_header_map_value(map, name.at, name.size);
  }

  sendLocalReply(status: i32, body: string, headers: string[]): void {
    sendLocalReply(status, body, headers);
  }

  getRequestBody(): string {
    return getBody(false);
  }

  setRequestBody(body: string): void {
    setBody(false, body);
  }

  getResponseBody(): string {
    return getBody(true);
  }

  setResponseBody(body: string): void {
    setBody(true, body);
  }

  continueRequest(): void {
    resume(false);
  }

  continueResponse(): void {
    resume(true);
  }

  httpCall(cluster: string, headers: string[], body: string, milliseconds: i32): i32 {
    const token = httpCall(cluster, headers, body, milliseconds);
    if (token !== 0) awaitAnswer(token, this.host);
    return token;
  }

  getCallHeader(name: HeaderName): string | null {
    return readHeader(CALL_HEADERS, name) ? takeText() : null;
  }

  getCallBody(): string {
    return callBody();
  }

  getState(name: StateName): string | null {
    return stateText(name);
  }

  setState(name: StateName, value: string): void {
    setState(name, value);
  }

  evaluate(expression: ExpressionHandle): string | null {
    return expression.evaluate();
  }
}
