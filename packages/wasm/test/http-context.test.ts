import { beforeEach, describe, expect, test } from "vitest";
import { BodyResult, FlowResult, HeadersResult, type PluginConfig } from "../src/index.ts";
import { FakeHttpStream, TestHost } from "../src/testing/index.ts";

let host: TestHost;

beforeEach(() => {
  host = new TestHost();
});

async function open(body: string, config: Partial<PluginConfig> = {}, frame = {}) {
  const plugin = await host.plugin(body, config, frame);
  return { plugin, ...host.open(plugin) };
}

/** A callback with this body; `$n` is its second parameter. */
function on(callback: string, body: string, parameters = 3, result = true): string {
  const names = ["$id", "$n", "$end"].slice(0, parameters).map((name) => `(param ${name} i32)`);
  return `(func (export "proxy_on_${callback}") ${names.join(" ")} ${result ? "(result i32)" : ""} ${body})`;
}

/** Logs one letter and a number as a digit: what happened, in order. */
const NOTE = `(func $note (param $letter i32) (param $digit i32)
  (i32.store8 (i32.const 2000) (local.get $letter))
  (i32.store8 (i32.const 2001) (i32.add (i32.const 48) (local.get $digit)))
  (drop (call $proxy_log (i32.const 2) (i32.const 2000) (i32.const 2))))`;

const letter = (text: string) => text.charCodeAt(0);
const note = (text: string, value: string) => `(call $note (i32.const ${letter(text)}) ${value})`;
const notes = () => host.services.texts().map((text) => text.replace(/^wasm log( test)?: /, ""));

const EVERYTHING = [
  NOTE,
  on("context_create", note("c", "(local.get $n)"), 2, false),
  on("vm_start", `${note("v", "(local.get $n)")} (i32.const 1)`, 2),
  on("configure", `${note("p", "(local.get $n)")} (i32.const 1)`, 2),
  on("request_headers", `${note("h", "(local.get $n)")} (i32.const 0)`),
  on("request_body", `${note("b", "(local.get $n)")} (i32.const 0)`),
  on("request_trailers", `${note("t", "(local.get $n)")} (i32.const 0)`, 2),
  on("response_headers", `${note("H", "(local.get $n)")} (i32.const 0)`),
  on("response_body", `${note("B", "(local.get $n)")} (i32.const 0)`),
  on("response_trailers", `${note("T", "(local.get $n)")} (i32.const 0)`, 2),
  on("done", `${note("d", "(local.get $id)")} (i32.const 1)`, 1),
  on("log", note("l", "(local.get $id)"), 1, false),
  on("delete", note("x", "(local.get $id)"), 1, false),
].join("\n");

describe("the life of a stream", () => {
  test("every callback in its place, ids from 1, counts of fields and bytes", async () => {
    const config = { vmConfiguration: Buffer.from("ab"), configuration: Buffer.from("abc") };
    const { context, stream, plugin } = await open(EVERYTHING, config);
    context.onRequestHeaders(false);
    context.onRequestBody(Buffer.from("12345"), false);
    stream.trailers(1, [["t", "1"]]);
    context.onRequestTrailers();
    stream.respond([
      [":status", "200"],
      ["a", "1"],
      ["a", "2"],
    ]);
    context.onResponseHeaders(false);
    context.onResponseBody(Buffer.from("12"), true);
    stream.trailers(3, []);
    context.onResponseTrailers();
    context.onLog();
    context.onDestroy();
    host.host.remove(plugin);
    expect(notes()).toEqual(["c0", "v2", "p3", "c1", "h4", "b5", "t1", "H3", "B2", "T0", "l2", "d2", "x2", "d1", "x1"]);
    expect(host.host.vms).toBe(0);
  });

  test("ids count up and are not given twice", async () => {
    const { plugin, context } = await open(EVERYTHING);
    context.onRequestHeaders(true);
    const second = host.open(plugin).context;
    second.onRequestHeaders(true);
    expect([context.id, second.id]).toEqual([2, 3]);
  });

  test("a stream that never came here is only logged; destroying twice does nothing", async () => {
    const { context, stream } = await open(EVERYTHING);
    stream.respond();
    expect(context.onResponseHeaders(true)).toBe(HeadersResult.Continue);
    context.onLog();
    context.onLog();
    context.onDestroy();
    context.onDestroy();
    expect(notes().slice(3)).toEqual(["c1", "l2", "d2", "x2"]);
  });

  test("a stream that ended before it came here leaves no trace", async () => {
    const { context, plugin } = await open(EVERYTHING);
    context.onDestroy();
    expect(notes()).toHaveLength(3);
    expect(plugin.status().streams).toBe(0);
  });

  test("a module without callbacks lets everything pass", async () => {
    const { context, stream } = await open("");
    stream.respond();
    expect(context.onRequestHeaders(false)).toBe(0);
    expect(context.onRequestBody(Buffer.from("x"), true)).toBe(0);
    expect(context.takeRequestBody().toString()).toBe("x");
    expect(context.onResponseHeaders(true)).toBe(0);
    context.onLog();
    context.onDestroy();
  });
});

describe("results of callbacks", () => {
  const headersAnswer = async (result: number, config: Partial<PluginConfig> = {}) =>
    (await open(on("request_headers", `(i32.const ${result})`), config)).context.onRequestHeaders(false);

  test("1 stops everything unless the plugin may stop the headers alone; what is too high does too", async () => {
    expect(await headersAnswer(0)).toBe(HeadersResult.Continue);
    expect(await headersAnswer(1)).toBe(HeadersResult.StopAllAndWatermark);
    expect(await headersAnswer(1, { allowHeadersStop: true })).toBe(HeadersResult.StopIteration);
    expect(await headersAnswer(2)).toBe(HeadersResult.ContinueAndEndStream);
    expect(await headersAnswer(3)).toBe(HeadersResult.StopAllAndBuffer);
    expect(await headersAnswer(5)).toBe(HeadersResult.StopAllAndWatermark);
    expect(await headersAnswer(-1)).toBe(HeadersResult.StopAllAndWatermark);
  });

  test("bodies and trailers", async () => {
    for (const [result, body, trailers] of [
      [0, 0, 0],
      [1, 1, 1],
      [2, 2, 1],
      [3, 3, 1],
      [9, 3, 1],
    ]) {
      const code = on("request_body", `(i32.const ${result})`) + on("request_trailers", `(i32.const ${result})`, 2);
      const { context, stream } = await open(code);
      context.onRequestHeaders(false);
      expect(context.onRequestBody(Buffer.from("x"), false), `body ${result}`).toBe(body);
      stream.trailers(1, []);
      expect(context.onRequestTrailers(), `trailers ${result}`).toBe(trailers);
    }
  });
});

describe("which headers a plugin reaches", () => {
  /** Adds `n: m` to map 0 wherever it is called. */
  const TRY = `(data (i32.const 0) "nm") (func $try (drop (call $note (i32.const 115)
    (call $proxy_add_header_map_value (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 1) (i32.const 1))) (i32.const 0)))`;

  test("after Continue the map is read-only; paused it stays attached", async () => {
    for (const [result, later] of [
      [0, "s2"],
      [4, "s0"],
    ] as const) {
      host = new TestHost();
      const { context, stream } = await open(
        [
          NOTE,
          TRY,
          on("request_headers", `(i32.const ${result})`),
          on("response_headers", "(call $try) (i32.const 0)"),
        ].join(""),
      );
      context.onRequestHeaders(true);
      stream.respond();
      context.onResponseHeaders(true);
      expect(notes(), `result ${result}`).toEqual([later]);
    }
  });

  test("changing the response's map in the request's phase is refused", async () => {
    const code = TRY.replace("(i32.const 0) (i32.const 0) (i32.const 1)", "(i32.const 2) (i32.const 0) (i32.const 1)");
    const { context } = await open([NOTE, code, on("request_headers", "(call $try) (i32.const 0)")].join(""));
    context.onRequestHeaders(true);
    expect(notes()).toEqual(["s2"]);
  });

  test("the log sees all maps and changes none", async () => {
    const value = (map: number) =>
      note(
        "v",
        `(call $proxy_get_header_map_value (i32.const ${map}) (i32.const 0) (i32.const 1) (i32.const 8) (i32.const 12))`,
      );
    const { context, stream } = await open(
      [NOTE, TRY, on("log", `(call $try) ${value(0)} ${value(2)} ${value(3)}`, 1, false)].join(""),
    );
    context.onRequestHeaders(true);
    stream.respond([["n", "1"]]);
    context.onResponseHeaders(false);
    context.onLog();
    expect(notes()).toEqual(["s2", "v1", "v0", "v1"]);
  });

  test("trailers can be made where a body ends without", async () => {
    const add =
      "(call $proxy_add_header_map_value (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 1) (i32.const 1))";
    const { context, stream } = await open([NOTE, TRY, on("request_body", `${note("s", add)} (i32.const 0)`)].join(""));
    context.onRequestHeaders(false);
    context.onRequestBody(Buffer.from("x"), false);
    context.onRequestBody(Buffer.from("y"), true);
    expect(notes()).toEqual(["s2", "s0"]);
    expect(stream.headers(1)?.list).toEqual([["n", "m"]]);
  });
});

describe("bodies", () => {
  /** Keeps the body until its end, then does `what`. */
  const untilEnd = (what: string) =>
    [
      NOTE,
      '(data (i32.const 0) "<new>")',
      on(
        "request_body",
        `${note("b", "(local.get $n)")}
      (if (result i32) (local.get $end) (then ${what} (i32.const 0)) (else (i32.const 1)))`,
      ),
    ].join("");
  const set = (start: number, length: number) =>
    note(
      "s",
      `(call $proxy_set_buffer_bytes (i32.const 0) (i32.const ${start}) (i32.const ${length}) (i32.const 0) (i32.const 5))`,
    );

  async function send(code: string, chunks: readonly string[], config: Partial<PluginConfig> = {}) {
    const opened = await open(code, config);
    opened.context.onRequestHeaders(false);
    const scratch = Buffer.alloc(64);
    const answers = chunks.map((chunk, i) => {
      // The proxy uses its buffer again: what is kept must be a copy.
      scratch.fill(0x21).write(chunk);
      return opened.context.onRequestBody(scratch.subarray(0, chunk.length), i === chunks.length - 1);
    });
    return { ...opened, answers };
  }

  test("while it is held back each callback sees all bytes so far", async () => {
    const { context, answers } = await send(untilEnd(""), ["ab", "cd", "e"]);
    expect(notes()).toEqual(["b2", "b4", "b5"]);
    expect(answers).toEqual([BodyResult.StopAndBuffer, BodyResult.StopAndBuffer, BodyResult.Continue]);
    expect(context.takeRequestBody().toString()).toBe("abcde");
    expect(context.takeRequestBody()).toHaveLength(0);
  });

  test("after Continue only the new bytes", async () => {
    const { context } = await send(NOTE + on("request_body", `${note("b", "(local.get $n)")} (i32.const 0)`), ["ab"]);
    expect(context.takeRequestBody().toString()).toBe("ab");
    context.onRequestBody(Buffer.from("cde"), true);
    expect(notes()).toEqual(["b2", "b3"]);
  });

  test("prepend, append, replace; other ranges are refused", async () => {
    for (const [start, length, wanted, status] of [
      [0, 0, "<new>abcd", "s0"],
      [4, 0, "abcd<new>", "s0"],
      [99, 5, "abcd<new>", "s0"],
      [0, 4, "<new>", "s0"],
      [0, -1, "<new>", "s0"],
      [1, 1, "abcd", "s2"],
      [0, 3, "abcd", "s2"],
    ] as const) {
      host = new TestHost();
      const { context } = await send(untilEnd(set(start, length)), ["ab", "cd"]);
      expect(notes().at(-1), `${start} ${length}`).toBe(status);
      expect(context.requestBodyEdited).toBe(status === "s0");
      expect(context.takeRequestBody().toString(), `${start} ${length}`).toBe(wanted);
    }
  });

  test("more than the limit while it is held back: 413, and the callback isn't made", async () => {
    const { stream, answers, plugin } = await send(untilEnd(""), ["abcd", "efgh"], { limits: { bodyBytes: 6 } });
    expect(notes()).toEqual(["b4"]);
    expect(answers[1]).toBe(BodyResult.StopNoBuffer);
    expect(stream.events).toEqual(["reply 413 request_payload_too_large"]);
    expect(plugin.status().limitHits).toEqual({ bodyBytes: 1 });
  });

  test("request and response don't mix; a body can't be reached outside its callbacks", async () => {
    const status = (type: number) =>
      note("s", `(call $proxy_get_buffer_status (i32.const ${type}) (i32.const 8) (i32.const 12))`);
    const { context, stream } = await open(
      [
        NOTE,
        on("request_body", `${status(0)} ${status(1)} (i32.const 0)`),
        on("response_body", `${status(0)} ${status(1)} (i32.const 0)`),
      ].join(""),
    );
    context.onRequestHeaders(false);
    context.onRequestBody(Buffer.from("x"), true);
    stream.respond();
    context.onResponseHeaders(false);
    context.onResponseBody(Buffer.from("y"), true);
    expect(notes()).toEqual(["s0", "s1", "s1", "s0"]);
  });
});

describe("what is done after the callback", () => {
  const reply = (status: number, grpc = -1) =>
    `(drop (call $proxy_send_local_response (i32.const ${status}) (i32.const 0) (i32.const 7) (i32.const 7) (i32.const 4)
      (i32.const 0) (i32.const 0) (i32.const ${grpc})))`;
  const TEXT = '(data (i32.const 0) "go awaybody")';

  test("a local reply wins over Continue, and there is one", async () => {
    const { context, stream } = await open(TEXT + on("request_headers", `${reply(403)} ${reply(404)} (i32.const 0)`));
    expect(context.onRequestHeaders(true)).toBe(HeadersResult.StopAllAndWatermark);
    expect(stream.replies).toEqual([{ status: 403, body: "body", details: "go_away", headers: [], grpcStatus: null }]);
  });

  test("in a body and in trailers it stops too; the gRPC status is taken from 0 to 16", async () => {
    const code = TEXT + on("request_body", `${reply(503, 14)} (i32.const 0)`);
    const { context, stream } = await open(code);
    context.onRequestHeaders(false);
    expect(context.onRequestBody(Buffer.from("x"), true)).toBe(BodyResult.StopNoBuffer);
    expect(stream.replies[0]?.grpcStatus).toBe(14);
    const trailers = await open(TEXT + on("request_trailers", `${reply(503, 17)} (i32.const 0)`, 2));
    trailers.context.onRequestHeaders(false);
    trailers.stream.trailers(1, []);
    expect(trailers.context.onRequestTrailers()).toBe(FlowResult.Stop);
    expect(trailers.stream.replies[0]?.grpcStatus).toBeNull();
  });

  test("the reply passes the plugin's own response callback, whose Continue counts", async () => {
    const code = TEXT + on("request_headers", `${reply(403)} (i32.const 0)`) + on("response_headers", "(i32.const 0)");
    const { context, stream } = await open(code);
    let answer = -1;
    stream.sendLocalReply = () => {
      stream.respond([[":status", "403"]]);
      answer = context.onResponseHeaders(true);
    };
    expect(context.onRequestHeaders(true)).toBe(HeadersResult.StopAllAndWatermark);
    expect(answer).toBe(HeadersResult.Continue);
  });

  test("resuming from the same callback is as if it hadn't stopped", async () => {
    const resume = "(drop (call $proxy_continue_stream (i32.const 0)))";
    const { context, stream } = await open(on("request_headers", `${resume} (i32.const 4)`));
    expect(context.onRequestHeaders(true)).toBe(HeadersResult.Continue);
    expect(stream.events).toEqual([]);
  });

  test("resuming from a tick, through the effective context, once", async () => {
    const code = [
      on("vm_start", "(drop (call $proxy_set_tick_period_milliseconds (i32.const 5))) (i32.const 1)", 2),
      on("request_headers", "(i32.const 4)"),
      on(
        "tick",
        `(drop (call $proxy_set_effective_context (i32.const 2))) (drop (call $proxy_continue_stream (i32.const 0)))
        (drop (call $proxy_continue_stream (i32.const 1)))`,
        1,
        false,
      ),
    ].join("");
    const { context, stream } = await open(code);
    expect(context.onRequestHeaders(true)).toBe(HeadersResult.StopAllAndWatermark);
    host.services.clock.advance(4);
    expect(stream.events).toEqual([]);
    host.services.clock.advance(20);
    expect(stream.events).toEqual(["continue request"]);
  });

  test("closing resets the stream and leaves the result alone; numbers that are no stream are refused, those of TCP harmless", async () => {
    const call = (name: string, type: number) => note("s", `(call $proxy_${name} (i32.const ${type}))`);
    const code = [
      NOTE,
      on(
        "request_headers",
        `${call("close_stream", 1)} ${call("close_stream", 9999)} ${call("continue_stream", 9999)}
      ${call("close_stream", 2)} (i32.const 0)`,
      ),
    ].join("");
    const { context, stream } = await open(code);
    expect(context.onRequestHeaders(true)).toBe(HeadersResult.Continue);
    expect(stream.events).toEqual(["reset wasm_close_stream"]);
    expect(notes()).toEqual(["s0", "s2", "s2", "s0"]);
  });

  test("nothing is done to a stream that has ended", async () => {
    const code = on(
      "done",
      "(drop (call $proxy_continue_stream (i32.const 0))) (drop (call $proxy_close_stream (i32.const 0))) (i32.const 1)",
      1,
    );
    const { context, stream } = await open(code + on("request_headers", "(i32.const 4)"));
    context.onRequestHeaders(true);
    context.onDestroy();
    expect(stream.events).toEqual([]);
  });
});

describe("a trap", () => {
  const TRAP = "(unreachable)";

  test.each([
    "request_headers",
    "request_body",
    "request_trailers",
    "response_headers",
    "response_body",
    "response_trailers",
  ])("in %s gives exactly one 503, and later callbacks stop", async (callback) => {
    const { context, stream } = await open(on(callback, TRAP, callback.endsWith("trailers") ? 2 : 3));
    stream.trailers(1, []);
    stream.trailers(3, []);
    stream.respond();
    const answers = [
      context.onRequestHeaders(false),
      context.onRequestBody(Buffer.from("x"), false),
      context.onRequestTrailers(),
      context.onResponseHeaders(false),
      context.onResponseBody(Buffer.from("x"), false),
      context.onResponseTrailers(),
    ];
    const stops = [4, 3, 1, 4, 3, 1];
    const order = [
      "request_headers",
      "request_body",
      "request_trailers",
      "response_headers",
      "response_body",
      "response_trailers",
    ];
    const first = order.indexOf(callback);
    expect(answers).toEqual(stops.map((stop, at) => (at < first ? 0 : stop)));
    expect(stream.events).toEqual(["reply 503 wasm_fail_stream"]);
    context.onLog();
    context.onDestroy();
  });

  test("with FAIL_OPEN the stream goes on, with its body", async () => {
    const { context, stream, plugin } = await open(on("request_body", TRAP), { failurePolicy: "open" });
    context.onRequestHeaders(false);
    expect(context.onRequestBody(Buffer.from("body"), true)).toBe(BodyResult.Continue);
    expect(context.takeRequestBody().toString()).toBe("body");
    stream.respond();
    expect(context.onResponseHeaders(true)).toBe(HeadersResult.Continue);
    expect(stream.events).toEqual([]);
    expect(plugin.openHttp(new FakeHttpStream())).toBe("bypass");
    expect(plugin.status()).toMatchObject({ state: "failed", failures: 1, bypassedStreams: 2, failedStreams: 0 });
  });

  test("streams that another one's trap leaves paused don't wait for ever", async () => {
    for (const [failurePolicy, wanted] of [
      ["open", ["continue request"]],
      ["closed", ["reply 503 wasm_fail_stream"]],
    ] as const) {
      const code = on("request_headers", "(i32.const 4)") + on("log", TRAP, 1, false);
      const { plugin, context, stream } = await open(code, { failurePolicy });
      context.onRequestHeaders(true);
      const other = host.open(plugin);
      other.context.onLog();
      expect(stream.events).toEqual(wanted);
      expect(other.stream.events).toEqual([]);
    }
  });

  test("the log names the callback, the trap and the frames of the module's file", async () => {
    const { context } = await open(`(func $deep (unreachable)) ${on("request_headers", "(call $deep) (i32.const 0)")}`);
    context.onRequestHeaders(true);
    const [text = ""] = host.services.texts(4);
    const lines = text.split("\n");
    expect(lines[0]).toBe("Function: proxy_on_request_headers failed: unreachable");
    expect(lines[1]).toBe("Proxy-Wasm plugin in-VM backtrace:");
    expect(lines[2]).toMatch(/^ {2}0: {2}0x[0-9a-f]+ - function\[2\]$/);
    expect(lines[3]).toMatch(/^ {2}1: {2}0x[0-9a-f]+ - (function\[3\]|proxy_on_request_headers)$/);
  });

  test("a failed VM is never entered again", async () => {
    const code = [
      NOTE,
      on("vm_start", "(drop (call $proxy_set_tick_period_milliseconds (i32.const 5))) (i32.const 1)", 2),
      on("tick", note("t", "(i32.const 1)"), 1, false),
      on("request_headers", TRAP),
      on("log", note("l", "(i32.const 1)"), 1, false),
      on("delete", note("x", "(i32.const 1)"), 1, false),
    ].join("");
    const { context } = await open(code);
    context.onRequestHeaders(true);
    host.services.clock.advance(100);
    context.onLog();
    context.onDestroy();
    expect(host.services.entries.filter(({ level }) => level === 2)).toEqual([]);
    expect(host.host.vms).toBe(0);
  });
});
