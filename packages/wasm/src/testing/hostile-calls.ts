import type { HostileModule } from "./hostile-modules.ts";
import { flood, repeated, request, withCall } from "./hostile-text.ts";

/** Host calls with wrong arguments, and far too many: those that don't fail their VM come `times` times. */
export function hostileCalls(times: number): readonly HostileModule[] {
  const many = (call: string) => repeated(call, times);
  return [
    {
      name: "pointers from nowhere",
      body: flood("(call $proxy_log (i32.const 2) (i32.const -1) (i32.const -1))"),
      fails: "work",
      limit: "callbackWork",
    },
    {
      name: "answers wanted where there is no memory",
      body: request(`(drop (call $proxy_get_header_map_pairs (i32.const 0) (i32.const -4) (i32.const -8)))
      (drop (call $proxy_get_property (i32.const -1) (i32.const 9) (i32.const -4) (i32.const -4)))
      (drop (call $proxy_get_buffer_bytes (i32.const 0) (i32.const -1) (i32.const -1) (i32.const -4) (i32.const -4)))
      (drop (call $proxy_set_header_map_pairs (i32.const 0) (i32.const -9) (i32.const 2147483647)))
      (drop (call $proxy_http_call (i32.const -1) (i32.const -1) (i32.const -1) (i32.const -1) (i32.const -1)
        (i32.const -1) (i32.const -1) (i32.const -1) (i32.const -1) (i32.const -1)))
      (drop (call $proxy_send_local_response (i32.const 200) (i32.const -1) (i32.const -1) (i32.const -1) (i32.const -1)
        (i32.const -1) (i32.const -1) (i32.const -1)))`),
      fails: null,
    },
    {
      name: "streams and contexts that don't exist",
      body: request(`(drop (call $proxy_set_effective_context (i32.const 99999)))
      (drop (call $proxy_continue_stream (i32.const 77)))
      (drop (call $proxy_close_stream (i32.const -1)))
      (drop (call $proxy_done))`),
      fails: null,
    },
    {
      name: "header fields that would split the message",
      body: request(
        `(drop (call $proxy_add_header_map_value (i32.const 0) (i32.const 500) (i32.const 1) (i32.const 501) (i32.const 18)))
       (drop (call $proxy_add_header_map_value (i32.const 0) (i32.const 520) (i32.const 18) (i32.const 500) (i32.const 1)))
       (drop (call $proxy_replace_header_map_value (i32.const 0) (i32.const 540) (i32.const 5) (i32.const 546) (i32.const 32)))`,
        `(data (i32.const 500) "aA\\0d\\0asmuggled: yes") (data (i32.const 520) "A\\0d\\0asmuggled: yes")
       (data (i32.const 540) ":path") (data (i32.const 546) "/ HTTP/1.1\\0d\\0asmuggled: yes\\0d\\0aA: ")`,
      ),
      fails: null,
    },
    {
      name: "a flood of log messages",
      body: request("(call $some)", many("(call $proxy_log (i32.const 2) (i32.const 0) (i32.const 4))")),
      fails: null,
      limit: "logRate",
    },
    {
      name: "an endless flood of log messages",
      body: flood("(call $proxy_log (i32.const 2) (i32.const 0) (i32.const 4))"),
      fails: "work",
    },
    {
      name: "a flood of output",
      body: flood(
        "(call $fd_write (i32.const 1) (i32.const 64) (i32.const 1) (i32.const 8))",
        '(data (i32.const 64) "\\00\\00\\00\\00\\08\\00\\00\\00")',
      ),
      fails: "work",
    },
    {
      name: "a flood of series",
      body: request(
        "(call $some)",
        many("(call $proxy_define_metric (i32.const 0) (i32.const 100) (i32.const 2) (i32.const 8))"),
      ),
      fails: null,
      limit: "metrics",
    },
    {
      name: "a flood of headers",
      body: request(
        "(call $some)",
        many(
          "(call $proxy_add_header_map_value (i32.const 0) (i32.const 100) (i32.const 2) (i32.const 0) (i32.const 400))",
        ),
      ),
      fails: null,
      limit: "headerGrowth",
    },
    {
      name: "a flood of calls",
      body: withCall(request("(call $some)", many("(call $call)"))),
      fails: null,
      limit: "callouts",
    },
    {
      name: "a flood of look-ups",
      body: request("(call $some)", many("(call $envoy_resolve_dns (i32.const 100) (i32.const 2) (i32.const 8))")),
      fails: null,
      limit: "callouts",
    },
    {
      name: "a flood of shared data",
      body: request(
        "(call $some)",
        many(
          "(call $proxy_set_shared_data (i32.const 100) (i32.const 2) (i32.const 0) (i32.const 4000) (i32.const 0))",
        ),
      ),
      fails: null,
      limit: "sharedDataBytes",
    },
    {
      name: "a flood of queues",
      body: request(
        "(call $some)",
        many("(call $proxy_register_shared_queue (i32.const 100) (i32.const 2) (i32.const 8))"),
      ),
      fails: null,
      limit: "queues",
    },
    {
      name: "a flood of properties",
      body: flood("(call $proxy_get_property (i32.const 100) (i32.const 2) (i32.const 0) (i32.const 4))"),
      fails: "work",
    },
    {
      name: "a flood of random numbers",
      body: flood("(call $random_get (i32.const 0) (i32.const 60000))"),
      fails: "work",
    },
    {
      name: "a flood of local replies",
      body: flood(
        `(call $proxy_send_local_response (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 100) (i32.const 6)
          (i32.const 0) (i32.const 0) (i32.const -1))`,
        '(data (i32.const 100) "served")',
      ),
      when: "end",
      fails: "work",
    },
    { name: "an exit in the middle of a stream", body: request("(call $proc_exit (i32.const 0))"), fails: "exit" },
  ];
}
