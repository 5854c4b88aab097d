import { CONTINUE } from "../src/native/constants";
import { takeAsker } from "./calls";
import { proxy_get_buffer_bytes } from "./env";
import { allocate, DATA_CELL, SIZE_CELL, takeText } from "./memory";
import { createContext, findRoot, findStream, forget } from "./registry";

const PLUGIN_CONFIGURATION: i32 = 7;

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(size: i32): usize {
  return allocate(size);
}

/** The name that hosts of the C++ line look for. */
export function malloc(size: i32): usize {
  return allocate(size);
}

export function proxy_on_context_create(id: u32, parent: u32): void {
  createContext(id, parent);
}

export function proxy_on_vm_start(_id: u32, _size: i32): i32 {
  return 1;
}

export function proxy_on_configure(id: u32, size: i32): i32 {
  const root = findRoot(id);
  if (root === null) return 0;
  let configuration = "";
  if (size > 0 && proxy_get_buffer_bytes(PLUGIN_CONFIGURATION, 0, size, DATA_CELL, SIZE_CELL) === 0) {
    configuration = takeText();
  }
  return root.onConfigure(configuration) ? 1 : 0;
}

export function proxy_on_tick(id: u32): void {
  const root = findRoot(id);
  if (root !== null) root.onTick();
}

export function proxy_on_request_headers(id: u32, count: i32, end: i32): i32 {
  const stream = findStream(id);
  return stream === null ? CONTINUE : stream.onRequestHeaders(count, end !== 0);
}

export function proxy_on_request_body(id: u32, size: i32, end: i32): i32 {
  const stream = findStream(id);
  return stream === null ? CONTINUE : stream.onRequestBody(size, end !== 0);
}

export function proxy_on_request_trailers(id: u32, count: i32): i32 {
  const stream = findStream(id);
  return stream === null ? CONTINUE : stream.onRequestTrailers(count);
}

export function proxy_on_response_headers(id: u32, count: i32, end: i32): i32 {
  const stream = findStream(id);
  return stream === null ? CONTINUE : stream.onResponseHeaders(count, end !== 0);
}

export function proxy_on_response_body(id: u32, size: i32, end: i32): i32 {
  const stream = findStream(id);
  return stream === null ? CONTINUE : stream.onResponseBody(size, end !== 0);
}

export function proxy_on_response_trailers(id: u32, count: i32): i32 {
  const stream = findStream(id);
  return stream === null ? CONTINUE : stream.onResponseTrailers(count);
}

export function proxy_on_new_connection(id: u32): i32 {
  const stream = findStream(id);
  return stream === null ? CONTINUE : stream.onNewConnection();
}

export function proxy_on_downstream_data(id: u32, size: i32, end: i32): i32 {
  const stream = findStream(id);
  return stream === null ? CONTINUE : stream.onDownstreamData(size, end !== 0);
}

export function proxy_on_upstream_data(id: u32, size: i32, end: i32): i32 {
  const stream = findStream(id);
  return stream === null ? CONTINUE : stream.onUpstreamData(size, end !== 0);
}

export function proxy_on_downstream_connection_close(id: u32, peer: i32): void {
  const stream = findStream(id);
  if (stream !== null) stream.onDownstreamClose(peer);
}

export function proxy_on_upstream_connection_close(id: u32, peer: i32): void {
  const stream = findStream(id);
  if (stream !== null) stream.onUpstreamClose(peer);
}

export function proxy_on_http_call_response(_root: u32, token: u32, headers: i32, bodySize: i32, _trailers: i32): void {
  const stream = findStream(takeAsker(token));
  if (stream === null) return;
  stream.activate();
  stream.onHttpCallResponse(token, headers, bodySize);
}

export function proxy_on_log(id: u32): void {
  const stream = findStream(id);
  if (stream !== null) stream.onLog();
}

export function proxy_on_done(id: u32): i32 {
  const stream = findStream(id);
  if (stream !== null) stream.onDone();
  return 1;
}

export function proxy_on_delete(id: u32): void {
  const stream = findStream(id);
  if (stream !== null) stream.onDelete();
  forget(id);
}
