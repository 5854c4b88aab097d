/** Pieces of the text of hostile modules. */

export const LOOP = "(loop $l (br $l))";

/** `body` in a callback with three parameters. */
export const request = (body: string, more = "") =>
  `${more} (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (local $i i32) ${body} (i32.const 0))`;

/** Calls something a million times, whatever it answers. */
export const flood = (call: string, more = "") =>
  request(
    `(loop $again (drop ${call})
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 1000000))))`,
    more,
  );

export const callback = (name: string, parameters: string, result: string, body: string) =>
  `(func (export "proxy_on_${name}") ${parameters} ${result} ${body} ${result.length > 0 ? "(i32.const 1)" : ""})`;

export const TWO = "(param i32 i32)";
export const THREE = "(param i32 i32 i32)";
export const RESULT = "(result i32)";

export const ALL_HEADERS = "(drop (call $proxy_get_header_map_pairs (i32.const 0) (i32.const 0) (i32.const 4)))";

/** Does something so many times, with another number in the bytes 100 and 101 each time. */
export function repeated(call: string, times: number): string {
  return `(func $some (local $i i32) (loop $again
    (i32.store16 (i32.const 100) (i32.add (i32.const 24672) (local.get $i)))
    (drop ${call})
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $i) (i32.const ${times})))))`;
}

/** What calls the cluster `backend` as `$call`. */
export function withCall(body: string): string {
  const pairs = ":method\\00GET\\00:path\\00/\\00:authority\\00b\\00";
  return `(data (i32.const 200) "\\03\\00\\00\\00\\07\\00\\00\\00\\03\\00\\00\\00\\05\\00\\00\\00\\01\\00\\00\\00\\0a\\00\\00\\00\\01\\00\\00\\00${pairs}")
    (data (i32.const 300) "backend")
    (func $call (result i32) (call $proxy_http_call (i32.const 300) (i32.const 7) (i32.const 200) (i32.const 61)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 8)))
    ${body}`;
}
