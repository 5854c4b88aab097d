import type { HostileModule } from "./hostile-modules.ts";
import { ALL_HEADERS, callback, flood, LOOP, RESULT, request, THREE, TWO, withCall } from "./hostile-text.ts";

/** Code that doesn't end, traps, exits, and takes all memory. */
export const HOSTILE_CODE: readonly HostileModule[] = [
  { name: "a start function that never returns", body: `(func $s ${LOOP}) (start $s)`, fails: "fuel", when: "start" },
  { name: "a start function that traps", body: "(func $s (unreachable)) (start $s)", fails: "trap", when: "start" },
  {
    name: "_initialize that never returns",
    body: `(func (export "_initialize") ${LOOP})`,
    fails: "fuel",
    when: "start",
  },
  { name: "_start that traps", body: '(func (export "_start") (unreachable))', fails: "trap", when: "start" },
  {
    name: "_start that exits",
    body: '(func (export "_start") (call $proc_exit (i32.const 3)))',
    fails: "exit",
    when: "start",
  },
  {
    name: "_start that calls what is forbidden there",
    body: '(func (export "_start") (drop (call $proxy_set_tick_period_milliseconds (i32.const 1))))',
    fails: "restricted",
    when: "start",
  },
  {
    name: "vm_start that never returns",
    body: callback("vm_start", TWO, RESULT, LOOP),
    fails: "fuel",
    limit: "startFuel",
    when: "start",
  },
  {
    name: "vm_start that says no",
    body: callback("vm_start", TWO, RESULT, "(return (i32.const 0))"),
    fails: "refused",
    when: "start",
  },
  {
    name: "configure that never returns",
    body: callback("configure", TWO, RESULT, LOOP),
    fails: "fuel",
    when: "start",
  },
  {
    name: "configure that traps",
    body: callback("configure", TWO, RESULT, "(unreachable)"),
    fails: "trap",
    when: "start",
  },
  {
    name: "context_create that never returns",
    body: callback("context_create", TWO, "", LOOP),
    fails: "fuel",
    when: "start",
  },
  {
    name: "an allocator that calls what is forbidden there",
    body: `(func (export "malloc") (param i32) (result i32) (drop (call $proxy_done)) (i32.const 64))${request(ALL_HEADERS)}`,
    frame: { allocator: "" },
    fails: "restricted",
  },
  {
    name: "an allocator that never returns",
    body: `(func (export "malloc") (param i32) (result i32) ${LOOP} (i32.const 0))${request(ALL_HEADERS)}`,
    frame: { allocator: "" },
    fails: "fuel",
  },
  {
    name: "an allocator that gives memory which isn't there",
    body: `(func (export "malloc") (param i32) (result i32) (i32.const -16))${request(ALL_HEADERS)}`,
    frame: { allocator: "" },
    fails: null,
  },
  {
    name: "an allocator that has none",
    body: `(func (export "malloc") (param i32) (result i32) (i32.const 0))${request(ALL_HEADERS)}`,
    frame: { allocator: "" },
    fails: null,
  },
  { name: "request_headers that never returns", body: request(LOOP), fails: "fuel", limit: "callbackFuel" },
  {
    name: "a tick that never returns",
    body:
      callback("vm_start", TWO, RESULT, "(drop (call $proxy_set_tick_period_milliseconds (i32.const 1)))") +
      callback("tick", "(param i32)", "", LOOP),
    fails: "fuel",
    when: "timer",
  },
  {
    name: "a queue's reader that never returns",
    body: `(data (i32.const 0) "queue") ${callback(
      "vm_start",
      TWO,
      RESULT,
      `(drop (call $proxy_register_shared_queue (i32.const 0) (i32.const 5) (i32.const 8)))
       (drop (call $proxy_enqueue_shared_queue (i32.load (i32.const 8)) (i32.const 0) (i32.const 5)))`,
    )} ${callback("queue_ready", TWO, "", LOOP)}`,
    fails: "fuel",
    when: "timer",
  },
  {
    name: "the context_create of a stream that never returns",
    body: callback("context_create", TWO, "", `(if (local.get 1) (then ${LOOP}))`),
    fails: "fuel",
  },
  { name: "request_body that never returns", body: callback("request_body", THREE, RESULT, LOOP), fails: "fuel" },
  { name: "request_trailers that never returns", body: callback("request_trailers", TWO, RESULT, LOOP), fails: "fuel" },
  {
    name: "an answer's reader that never returns",
    body: withCall(
      request("(drop (call $call)) (return (i32.const 1))") +
        callback("http_call_response", "(param i32 i32 i32 i32 i32)", "", LOOP),
    ),
    fails: "fuel",
    when: "answer",
  },
  {
    name: "response_headers that never returns",
    body: callback("response_headers", THREE, RESULT, LOOP),
    fails: "fuel",
    when: "response",
  },
  {
    name: "response_body that never returns",
    body: callback("response_body", THREE, RESULT, LOOP),
    fails: "fuel",
    when: "body",
  },
  {
    name: "response_trailers that never returns",
    body: callback("response_trailers", TWO, RESULT, LOOP),
    fails: "fuel",
    when: "body",
  },
  { name: "a log that never returns", body: callback("log", "(param i32)", "", LOOP), fails: "fuel", when: "end" },
  { name: "done that never returns", body: callback("done", "(param i32)", RESULT, LOOP), fails: "fuel", when: "end" },
  {
    name: "delete that never returns",
    body: callback("delete", "(param i32)", "", LOOP),
    fails: "fuel",
    when: "end",
  },
  { name: "endless recursion", body: request("(call $f)", "(func $f (call $f))"), fails: "trap" },
  {
    name: "recursion with a big frame",
    body: request(
      "(drop (call $f (i64.const 1)))",
      "(func $f (param i64) (result i64) (i64.add (call $f (local.get 0)) (call $f (local.get 0))))",
    ),
    fails: "trap",
  },
  { name: "endless tail calls", body: request("(call $f)", "(func $f (return_call $f))"), fails: "fuel" },
  {
    name: "a memory bomb",
    body: request("(loop $l (br_if $l (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (unreachable)"),
    fails: "fuel",
  },
  {
    name: "all memory at once",
    body: request("(if (i32.eq (memory.grow (i32.const 65535)) (i32.const -1)) (then (unreachable)))"),
    fails: "trap",
  },
  {
    name: "more than all of the stack's memory filled, again and again",
    body: flood(
      "(call $fill)",
      "(func $fill (result i32) (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536)) (i32.const 0))",
    ),
    fails: "fuel",
  },
  {
    name: "all memory that there is, with something in each page",
    body: request(`(loop $l
      (if (i32.ne (memory.grow (i32.const 255)) (i32.const -1)) (then
        (memory.fill (i32.mul (i32.sub (memory.size) (i32.const 255)) (i32.const 65536)) (i32.const 7) (i32.const 16711680))
        (br $l)))) (unreachable)`),
    fails: "trap",
  },
  {
    name: "a table bomb",
    body: `(table 1 funcref) ${request("(loop $l (br_if $l (i32.ne (table.grow (ref.null) (i32.const 1000)) (i32.const -1)))) (unreachable)")}`,
    fails: "trap",
  },
  { name: "reading outside memory", body: request("(drop (i32.load (i32.const -4)))"), fails: "trap" },
  { name: "a division by zero", body: request("(drop (i32.div_u (i32.const 1) (i32.const 0)))"), fails: "trap" },
  {
    name: "an indirect call of nothing",
    body: `(table 4 funcref) ${request("(call_indirect (i32.const 2))")}`,
    fails: "trap",
  },
  {
    name: "an indirect call of another type",
    body: `(table 1 funcref) (elem (i32.const 0) $f) ${request("(drop (call_indirect (result i64) (i32.const 0)))", "(func $f)")}`,
    fails: "trap",
  },
];
