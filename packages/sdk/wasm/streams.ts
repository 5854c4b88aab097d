import {
  proxy_continue_stream,
  proxy_get_buffer_bytes,
  proxy_http_call,
  proxy_send_local_response,
  proxy_set_buffer_bytes,
} from "./env";
import { DATA_CELL, RESULT_CELL, release, SIZE_CELL, size, takeText, write } from "./memory";

const REQUEST_BODY: i32 = 0;
const RESPONSE_BODY: i32 = 1;
const CALL_BODY: i32 = 4;
const EVERYTHING: i32 = 0x7fffffff;
const NO_GRPC_STATUS: i32 = -1;

/** Bytes of names and values in turn, as the ABI has lists of headers. */
function sizeOfPairs(pairs: string[]): i32 {
  let bytes: i32 = 4;
  for (let i = 0; i + 1 < pairs.length; i += 2) bytes += 10 + pairs[i].length + pairs[i + 1].length;
  return bytes;
}

function putPairs(pairs: string[], bytes: i32): usize {
  const at = heap.alloc(<usize>bytes);
  const count = pairs.length >> 1;
  store<u32>(at, count);
  let cell = at + 4;
  let text = at + 4 + ((<usize>count) << 3);
  for (let i = 0; i < count << 1; i++) {
    store<u32>(cell, pairs[i].length);
    cell += 4;
    write(pairs[i], text);
    text += <usize>pairs[i].length;
    store<u8>(text, 0);
    text += 1;
  }
  return at;
}

/** A block of its own: several texts leave in one call. */
function putText(text: string): usize {
  const at = heap.alloc(<usize>max(text.length, 1));
  write(text, at);
  return at;
}

export function sendLocalReply(status: i32, body: string, headers: string[]): void {
  const bytes = sizeOfPairs(headers);
  const pairs = putPairs(headers, bytes);
  const text = putText(body);
  proxy_send_local_response(status, text, 0, text, body.length, pairs, bytes, NO_GRPC_STATUS);
  heap.free(text);
  heap.free(pairs);
}

export function httpCall(cluster: string, headers: string[], body: string, milliseconds: i32): i32 {
  const bytes = sizeOfPairs(headers);
  const pairs = putPairs(headers, bytes);
  const name = putText(cluster);
  const text = putText(body);
  const none: string[] = [];
  const trailers = putPairs(none, 4);
  const status = proxy_http_call(
    name,
    cluster.length,
    pairs,
    bytes,
    text,
    body.length,
    trailers,
    4,
    milliseconds,
    RESULT_CELL,
  );
  heap.free(trailers);
  heap.free(text);
  heap.free(name);
  heap.free(pairs);
  return status === 0 ? load<i32>(RESULT_CELL) : 0;
}

export function getBody(response: bool): string {
  return bufferText(response ? RESPONSE_BODY : REQUEST_BODY);
}

export function callBody(): string {
  return bufferText(CALL_BODY);
}

function bufferText(type: i32): string {
  if (proxy_get_buffer_bytes(type, 0, EVERYTHING, DATA_CELL, SIZE_CELL) !== 0) return "";
  if (size() > 0) return takeText();
  release();
  return "";
}

export function setBody(response: bool, body: string): void {
  const text = putText(body);
  proxy_set_buffer_bytes(response ? RESPONSE_BODY : REQUEST_BODY, 0, EVERYTHING, text, body.length);
  heap.free(text);
}

export function resume(response: bool): void {
  proxy_continue_stream(response ? 1 : 0);
}
