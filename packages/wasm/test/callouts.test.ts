import { beforeEach, describe, expect, test } from "vitest";
import type { HttpContext } from "../src/contexts/http-context.ts";
import { encodePairs } from "../src/encoding/pairs.ts";
import { encodeFields } from "../src/encoding/protobuf.ts";
import { type Guest, World } from "./guest.ts";

/** Logs the callback's letter and its parameters in digits; `.` for the letter of what a map or buffer then answers. */
const LISTENER = `
  (func $say (param $letter i32) (param $token i32) (param $a i32) (param $b i32)
    (i32.store8 (i32.const 3000) (local.get $letter))
    (i32.store8 (i32.const 3001) (i32.add (i32.const 48) (local.get $token)))
    (i32.store8 (i32.const 3002) (i32.add (i32.const 48) (local.get $a)))
    (i32.store8 (i32.const 3003) (i32.add (i32.const 48) (local.get $b)))
    (drop (call $proxy_log (i32.const 2) (i32.const 3000) (i32.const 4))))
  (func $show (param $status i32)
    (if (i32.eqz (local.get $status))
      (then (drop (call $proxy_log (i32.const 2) (i32.load (i32.const 3008)) (i32.load (i32.const 3012)))))
      (else (call $say (i32.const 63) (local.get $status) (i32.const 0) (i32.const 0)))))
  (func $body (param $type i32)
    (call $show (call $proxy_get_buffer_bytes (local.get $type) (i32.const 0) (i32.const -1) (i32.const 3008) (i32.const 3012))))
  (func $status
    (drop (call $proxy_get_status (i32.const 3016) (i32.const 3008) (i32.const 3012)))
    (call $say (i32.const 115) (i32.load (i32.const 3016)) (i32.const 0) (i32.const 0))
    (call $show (i32.const 0)))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 4))
  (func (export "proxy_on_http_call_response") (param i32 i32 i32 i32 i32)
    (call $say (i32.const 104) (local.get 1) (local.get 2) (local.get 4)) (call $body (i32.const 4)) (call $status))
  (func (export "proxy_on_grpc_receive_initial_metadata") (param i32 i32 i32)
    (call $say (i32.const 105) (local.get 1) (local.get 2) (i32.const 0)))
  (func (export "proxy_on_grpc_receive") (param i32 i32 i32)
    (call $say (i32.const 114) (local.get 1) (local.get 2) (i32.const 0)) (call $body (i32.const 5)))
  (func (export "proxy_on_grpc_receive_trailing_metadata") (param i32 i32 i32)
    (call $say (i32.const 116) (local.get 1) (local.get 2) (i32.const 0)))
  (func (export "proxy_on_grpc_close") (param i32 i32 i32)
    (call $say (i32.const 99) (local.get 1) (local.get 2) (i32.const 0)) (call $status))
  (func (export "envoy_on_resolve_dns") (param i32 i32 i32)
    (call $say (i32.const 100) (local.get 1) (i32.const 0) (i32.const 0)) (call $body (i32.const 8)))
  (func (export "proxy_on_foreign_function") (param i32 i32 i32)
    (call $say (i32.const 102) (local.get 1) (local.get 2) (i32.const 0)) (call $body (i32.const 8)))`;

let world: World;
let guest: Guest;
let context: HttpContext;

beforeEach(async () => {
  world = new World();
  guest = await world.guest({ vmConfiguration: Buffer.from("vm") }, LISTENER);
  context = guest.http().context;
});

const inside = <T>(script: () => T) => guest.inside(context, script);
/** What the plugin said, without the prefix of its root. */
const said = () => world.services.texts().map((text) => text.replace("wasm log: ", ""));

const HEADERS = encodePairs([
  [":method", "POST"],
  [":path", "/"],
  [":authority", "b"],
  ["X-Upper", "1"],
]);

const call = (cluster = "backend", headers = HEADERS, body = "", timeout = 500) =>
  inside(() => guest.call("proxy_http_call", cluster, headers, body, "", timeout, 8));

const response = (status = "200", body = "hello") => ({
  headers: [[":status", status]] as const,
  body: Buffer.from(body),
  trailers: [],
});

describe("HTTP calls", () => {
  test("a call reaches its cluster with lower-case names and the length of its body", () => {
    expect(call("backend", HEADERS, "data")).toBe(0);
    expect(guest.u32(8)).toBe(4);
    expect(world.services.calls[0]?.request).toEqual({
      cluster: "backend",
      headers: [
        [":method", "POST"],
        [":path", "/"],
        [":authority", "b"],
        ["x-upper", "1"],
        ["content-length", "4"],
      ],
      body: Buffer.from("data"),
      trailers: [],
      timeout: 500,
    });
  });

  test("the answer comes to the root context, once, and is readable only then", () => {
    call();
    world.services.calls[0]?.done(response());
    world.services.calls[0]?.done(response());
    expect(said()).toEqual(["h410", "hello", "s000", ""]);
    expect(guest.inside(guest.root, () => guest.ask("proxy_get_buffer_bytes", 4, 0, 100))).toBe(1);
    expect(guest.inside(guest.root, () => guest.ask("proxy_get_header_map_value", 6, ":status"))).toBe(2);
  });

  test("the answer can be read through the stream that made the call: SDKs make it the effective context", () => {
    const callback = guest.vm.callbacks.proxy_on_http_call_response;
    call();
    const seen: (string | number)[] = [];
    const fn = () => {
      guest.call("proxy_set_effective_context", context.id);
      seen.push(guest.ask("proxy_get_header_map_value", 6, ":status"), guest.ask("proxy_get_buffer_bytes", 4, 1, 3));
      return 0;
    };
    guest.vm.callbacks = {
      ...guest.vm.callbacks,
      proxy_on_http_call_response: { ...(callback as object), fn } as never,
    };
    world.services.calls[0]?.done(response());
    expect(seen).toEqual(["200", "ell"]);
  });

  test("a failure has no counts, and status 11", () => {
    call();
    world.services.calls[0]?.done(null);
    expect(said()).toEqual(["h400", "?100", "s;00", "reset"]);
    guest.inside(guest.root, () => guest.call("proxy_get_status", 8, 16, 20));
    expect([guest.u32(8), guest.given()]).toEqual([11, ""]);
  });

  test("what is wrong with a call", () => {
    expect(call("nowhere")).toBe(2);
    expect(call("")).toBe(2);
    expect(call("backend", encodePairs([[":method", "GET"]]))).toBe(2);
    expect(call("backend", "")).toBe(2);
    expect(call("backend", HEADERS, "", -1)).toBe(2);
    world.services.healthy = false;
    expect(call()).toBe(10);
    expect(said()).toEqual([]);
    world.services.healthy = true;
    call();
    expect(guest.u32(8)).toBe(4);
  });

  test("an answer that is there at once waits until the module has returned", () => {
    const { http } = world.services;
    const begin = http.call.bind(http);
    http.call = (request, done) => {
      const handle = begin(request, done);
      done(response());
      return handle;
    };
    inside(() => {
      guest.call("proxy_http_call", "backend", HEADERS, "", "", 0, 8);
      expect(said()).toEqual([]);
    });
    expect(said()[0]).toBe("h410");
  });

  test("nothing arrives after the plugin has gone; calls under way are given up", () => {
    call();
    guest.root.beginDone();
    expect(world.services.calls[0]?.cancelled).toBe(true);
    world.services.calls[0]?.done(response());
    expect(said()).toEqual([]);
  });

  test("an answer that is too large is a failure", async () => {
    guest.vm.limits = { ...guest.vm.limits, calloutBytes: 4 };
    call();
    world.services.calls[0]?.done(response("200", "12345"));
    expect(said()[0]).toBe("h400");
    expect(guest.usage.hits("calloutBytes")).toBe(1);
  });
});

describe("gRPC calls", () => {
  const unary = (target = "backend") =>
    inside(() => guest.call("proxy_grpc_call", target, "svc", "Method", encodePairs([["K", "v"]]), "request", 1000, 8));
  const open = () => inside(() => guest.call("proxy_grpc_stream", "backend", "svc", "Method", "", 8));
  const streamOf = (at: number) =>
    world.services.grpcStreams[at] as NonNullable<(typeof world.services.grpcStreams)[number]>;

  test("a unary call that goes well ends with its response, and tells nothing else", () => {
    expect(unary()).toBe(0);
    expect(guest.u32(8)).toBe(5);
    expect(streamOf(0).request).toEqual({
      target: { cluster: "backend", authority: "" },
      service: "svc",
      method: "Method",
      metadata: [["k", "v"]],
      timeout: 1000,
    });
    expect(streamOf(0).sent).toEqual([{ message: Buffer.from("request"), endStream: true }]);
    const { events } = streamOf(0);
    events.onInitialMetadata([["a", "1"]]);
    events.onMessage(Buffer.from("answer"));
    events.onTrailingMetadata([["t", "1"]]);
    expect(said()).toEqual([]);
    events.onClose(0, "");
    expect(said()).toEqual(["r560", "answer"]);
  });

  test("a response that a failure follows doesn't count, nor does success without a response", () => {
    unary();
    streamOf(0).events.onMessage(Buffer.from("answer"));
    streamOf(0).events.onClose(13, "broken");
    expect(said()).toEqual(["c5=0", "s=00", "broken"]);
    unary();
    streamOf(1).events.onClose(0, "");
    expect(said().slice(3)).toEqual(["c9=0", "s=00", "the response has no message"]);
  });

  test("one that fails ends with a status", () => {
    unary();
    streamOf(0).events.onClose(14, "away");
    expect(said()).toEqual(["c5>0", "s>00", "away"]);
  });

  test("the target may be a message that names a cluster, with metadata of its own", () => {
    const envoyGrpc = encodeFields([
      [1, Buffer.from("backend")],
      [2, Buffer.from("authority")],
    ]);
    const entry = encodeFields([
      [1, Buffer.from("X")],
      [2, Buffer.from("y")],
    ]);
    const target = encodeFields([
      [1, envoyGrpc],
      [5, entry],
    ]);
    expect(unary(target.toString("latin1"))).toBe(0);
    expect(streamOf(0).request.target).toEqual({ cluster: "backend", authority: "authority" });
    expect(streamOf(0).request.metadata).toEqual([
      ["x", "y"],
      ["k", "v"],
    ]);
    for (const bad of [
      "nowhere",
      "",
      "\xff\xff",
      encodeFields([[1, encodeFields([[1, Buffer.from("no")]])]]).toString("latin1"),
    ]) {
      expect(unary(bad)).toBe(4);
    }
    world.services.healthy = false;
    expect(unary()).toBe(10);
  });

  test("a stream: messages both ways, half-closing, the status at its end", () => {
    expect(open()).toBe(0);
    expect(guest.u32(8)).toBe(6);
    const send = (token: number, end: number) => inside(() => guest.call("proxy_grpc_send", token, "m", end));
    expect([send(6, 0), send(6, 1), send(6, 0)]).toEqual([0, 0, 1]);
    expect(streamOf(0).sent.map(({ endStream }) => endStream)).toEqual([false, true]);
    const { events } = streamOf(0);
    events.onMessage(Buffer.from("1"));
    events.onMessage(Buffer.from("2"));
    events.onTrailingMetadata([["t", "1"]]);
    events.onClose(0, "fine");
    expect(said()).toEqual(["r610", "1", "r610", "2", "t610", "c600", "s000", "fine"]);
    events.onMessage(Buffer.from("late"));
    expect(said()).toHaveLength(8);
  });

  test("tokens of another kind and unknown ones", () => {
    unary();
    open();
    const ask = (name: string, ...args: number[]) => inside(() => guest.call(name, ...args));
    expect(inside(() => guest.call("proxy_grpc_send", 5, "m", 0))).toBe(2);
    expect(inside(() => guest.call("proxy_grpc_send", 10, "m", 0))).toBe(1);
    expect([
      ask("proxy_grpc_close", 10),
      ask("proxy_grpc_cancel", 9),
      ask("proxy_grpc_cancel", 4),
      ask("proxy_grpc_close", 7),
    ]).toEqual([1, 1, 2, 2]);
    expect(ask("proxy_grpc_close", 6)).toBe(0);
    expect([streamOf(1).sent, streamOf(1).ended]).toEqual([[], true]);
    expect([ask("proxy_grpc_cancel", 5), ask("proxy_grpc_cancel", 5)]).toEqual([0, 1]);
    expect(streamOf(0).cancelled).toBe(true);
    streamOf(0).events.onClose(1, "cancelled");
    expect(said()).toEqual([]);
  });
});

describe("names", () => {
  test("a look-up answers with addresses and times; nothing for a failure", () => {
    expect(inside(() => guest.call("envoy_resolve_dns", "example.com", 8))).toBe(0);
    expect(guest.u32(8)).toBe(1);
    world.services.lookups[0]?.done([{ address: "10.0.0.1", ttl: 60 }]);
    expect(said()).toEqual(["d100", "\x01\0\0\0<\0\0\x0010.0.0.1\0"]);
    inside(() => guest.call("envoy_resolve_dns", "nowhere", 8));
    world.services.lookups[1]?.done([]);
    expect(said().slice(2)).toEqual(["d200", ""]);
  });
});

describe("functions of the proxy speak to the plugin", () => {
  test("with their argument in reach", () => {
    guest.root.onForeignFunction(7, Buffer.from("abc"));
    expect(said()).toEqual(["f730", "abc"]);
  });

  test("not before 0.2.0", async () => {
    const old = await world.guest({}, LISTENER, { abi: "0_1_0" });
    old.root.onForeignFunction(7, Buffer.from("abc"));
    expect(said()).toEqual([]);
  });
});
