import { beforeAll, describe, expect, test } from "vitest";
import type { HttpContext } from "../src/contexts/http-context.ts";
import { ENV_FUNCTIONS, WASI_FUNCTIONS } from "../src/index.ts";
import { type Guest, World } from "./guest.ts";

/**
 * What each parameter is: a number that is passed as it is, an input (pointer and length), perhaps one that has to be
 * right for the outputs to be reached, an output cell and its size.
 */
type Parameter = number | bigint | "in" | "out4" | "out8" | { readonly in: string };

const HOST: Record<string, readonly Parameter[]> = {
  proxy_log: [2, "in"],
  proxy_get_log_level: ["out4"],
  proxy_get_current_time_nanoseconds: ["out8"],
  proxy_get_status: ["out4", "out4", "out4"],
  proxy_get_configuration: ["out4", "out4"],
  proxy_get_header_map_value: [0, { in: ":path" }, "out4", "out4"],
  proxy_get_header_map_pairs: [0, "out4", "out4"],
  proxy_get_header_map_size: [0, "out4"],
  proxy_add_header_map_value: [0, "in", "in"],
  proxy_replace_header_map_value: [0, "in", "in"],
  proxy_remove_header_map_value: [0, "in"],
  proxy_set_header_map_pairs: [0, "in"],
  proxy_get_property: [{ in: "plugin_name" }, "out4", "out4"],
  proxy_set_property: ["in", "in"],
  proxy_get_buffer_bytes: [6, 0, 100, "out4", "out4"],
  proxy_get_buffer_status: [6, "out4", "out4"],
  proxy_set_buffer_bytes: [0, 0, 0, "in"],
  proxy_send_local_response: [200, "in", "in", "in", -1],
  proxy_http_call: ["in", "in", "in", "in", 0, "out4"],
  proxy_grpc_call: ["in", "in", "in", "in", "in", 0, "out4"],
  proxy_grpc_stream: ["in", "in", "in", "in", "out4"],
  proxy_grpc_send: [6, "in", 0],
  proxy_get_shared_data: [{ in: "key" }, "out4", "out4", "out4"],
  proxy_set_shared_data: ["in", "in", 0],
  proxy_register_shared_queue: ["in", "out4"],
  proxy_resolve_shared_queue: ["in", "in", "out4"],
  proxy_enqueue_shared_queue: [1, "in"],
  proxy_dequeue_shared_queue: [1, "out4", "out4"],
  proxy_define_metric: [0, "in", "out4"],
  proxy_get_metric: [4, "out8"],
  proxy_call_foreign_function: [{ in: "clear_route_cache" }, "in", "out4", "out4"],
  envoy_resolve_dns: ["in", "out4"],
};

const WASI: Record<string, readonly Parameter[]> = {
  fd_write: [1, "in", "out4"],
  fd_tell: [1, "out8"],
  fd_readdir: [3, 0, 0, 0n, "out4"],
  environ_sizes_get: ["out4", "out4"],
  args_sizes_get: ["out4", "out4"],
  clock_time_get: [0, 0n, "out8"],
  clock_res_get: [0, "out8"],
  random_get: ["in"],
  poll_oneoff: [0, 0, 0, "out4"],
  path_readlink: [3, 0, 0, 0, 0, "out4"],
  sock_send: [3, 0, 0, 0, "out4"],
};

/** Functions without a pointer. */
const NONE = new Set([
  ...["proxy_set_tick_period_milliseconds", "proxy_set_effective_context", "proxy_done", "proxy_continue_stream"],
  ...["proxy_continue_request", "proxy_continue_response", "proxy_close_stream", "proxy_clear_route_cache"],
  ...["proxy_grpc_close", "proxy_grpc_cancel", "proxy_increment_metric", "proxy_record_metric"],
  ...["emscripten_notify_memory_growth", "pthread_equal"],
]);

let guest: Guest;
let context: HttpContext;

beforeAll(async () => {
  const world = new World();
  guest = await world.guest({ vmConfiguration: Buffer.from("configuration") }, PAUSING);
  context = guest.http().context;
  guest.inside(context, () => {
    guest.call("proxy_register_shared_queue", "q", 0);
    guest.call("proxy_enqueue_shared_queue", 1, "item");
    guest.call("proxy_set_shared_data", "key", "value", 0);
    guest.call("proxy_define_metric", 0, "m", 0);
  });
});

/** Keeps the request's headers within reach. */
const PAUSING = '(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 4))';

const SIZE = 65_536;

/** Pairs of pointer and length outside a memory of one page. */
const OUTSIDE: readonly (readonly [number, number])[] = [
  [SIZE, 1],
  [SIZE - 1, 2],
  [0, SIZE + 1],
  [-1, 1],
  [-1, -1],
  [16, -1],
  [0x7fff_ffff, 1],
  [SIZE + 1, 0],
];

function inside(parameter: Parameter): (number | bigint)[] {
  if (typeof parameter === "object") return guest.place(parameter.in);
  if (parameter === "in") return [100, 1];
  return parameter === "out4" || parameter === "out8" ? [8] : [parameter];
}

function faultyCalls(parameters: readonly Parameter[], pageFault: "in" | "out"): (number | bigint)[][] {
  return parameters.flatMap((parameter, at) => {
    const wrong = (values: (number | bigint)[]) =>
      parameters.flatMap((other, i) => (i === at ? values : inside(other)));
    const input = parameter === "in" || typeof parameter === "object";
    if (input && pageFault === "in") return OUTSIDE.map(([pointer, length]) => wrong([pointer, length]));
    if (pageFault === "in" || (parameter !== "out4" && parameter !== "out8")) return [];
    const size = parameter === "out4" ? 4 : 8;
    return [SIZE, SIZE - size + 1, -1, 0x7fff_fff0].map((pointer) => wrong([pointer]));
  });
}

describe("a pointer outside memory is a status, never a trap", () => {
  test("the tables above have every function", () => {
    expect([...Object.keys(HOST), ...NONE].sort()).toEqual(Object.keys(ENV_FUNCTIONS).sort());
    for (const name of Object.keys(WASI)) expect(WASI_FUNCTIONS).toHaveProperty(name);
  });

  test.each(Object.entries(HOST))("%s", (name, parameters) => {
    for (const args of [...faultyCalls(parameters, "in"), ...faultyCalls(parameters, "out")]) {
      const status = guest.inside(context, () => guest.call(name, ...args));
      expect(status, `${name}(${args})`).toBe(6);
    }
    expect(guest.vm.failure).toBeNull();
  });

  test.each(Object.entries(WASI))("WASI %s", (name, parameters) => {
    const calls = [...faultyCalls(parameters, "out"), ...faultyCalls(parameters, "in")];
    for (const args of calls) {
      const errno = guest.inside(context, () => guest.call(name, ...args));
      // random_get refuses sizes above 65,536 before it looks at the pointer.
      const tooMuch = name === "random_get" && Number(args[1]) >>> 0 > SIZE;
      expect(errno, `${name}(${args})`).toBe(tooMuch ? 28 : 21);
    }
    expect(guest.vm.failure).toBeNull();
  });

  test("a length of 0 at the very end of memory is inside", () => {
    expect(guest.inside(context, () => guest.call("proxy_log", 2, SIZE, 0))).toBe(0);
  });
});
