import { beforeEach, describe, expect, test } from "vitest";
import { FlowResult, type PluginConfig, type TcpContext } from "../src/index.ts";
import { FakeTcpStream, TestHost } from "../src/testing/index.ts";

let host: TestHost;

beforeEach(() => {
  host = new TestHost();
});

async function open(
  body: string,
  config: Partial<PluginConfig> = {},
): Promise<{ context: TcpContext; stream: FakeTcpStream }> {
  const plugin = await host.plugin(NOTE + body, config);
  const stream = new FakeTcpStream();
  const context = plugin.openTcp(stream);
  if (typeof context === "string") throw new Error(context);
  return { context, stream };
}

const NOTE = `(func $note (param $letter i32) (param $digit i32)
  (i32.store8 (i32.const 2000) (local.get $letter))
  (i32.store8 (i32.const 2001) (i32.add (i32.const 48) (local.get $digit)))
  (drop (call $proxy_log (i32.const 2) (i32.const 2000) (i32.const 2))))`;

const note = (text: string, value = "(local.get 1)") => `(call $note (i32.const ${text.charCodeAt(0)}) ${value})`;
const notes = () => host.services.texts(2).map((text) => text.replace(/^wasm log( test)?: /, ""));

function on(callback: string, parameters: number, result: string, body: string): string {
  const params = `(param ${"i32 ".repeat(parameters)})`;
  return `(func (export "proxy_on_${callback}") ${params} ${result.length > 0 ? "(result i32)" : ""} ${body} ${result})`;
}

const EVERYTHING = [
  on("context_create", 2, "", note("c")),
  on("new_connection", 1, "(i32.const 0)", note("n", "(local.get 0)")),
  on("downstream_data", 3, "(i32.const 0)", note("d")),
  on("upstream_data", 3, "(i32.const 0)", note("u")),
  on("downstream_connection_close", 2, "", note("D")),
  on("upstream_connection_close", 2, "", note("U")),
  on("done", 1, "(i32.const 1)", note("o", "(local.get 0)")),
  on("log", 1, "", note("l", "(local.get 0)")),
  on("delete", 1, "", note("x", "(local.get 0)")),
].join("");

test("a connection's life: done, log, delete at its end, once", async () => {
  const { context } = await open(EVERYTHING);
  expect(context.onNewConnection()).toBe(FlowResult.Continue);
  context.onDownstreamData(Buffer.from("abc"), false);
  expect(context.takeDownstream().toString()).toBe("abc");
  context.onUpstreamData(Buffer.from("de"), true);
  expect(context.takeUpstream().toString()).toBe("de");
  context.onDownstreamClose(true);
  context.onDownstreamClose(false);
  expect(notes()).toEqual(["c0", "c1", "n2", "d3", "u2", "U0", "D2", "o2", "l2", "x2"]);
});

test("what is stopped accumulates; edits go on with it", async () => {
  const replace =
    "(drop (call $proxy_set_buffer_bytes (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 3)))";
  const { context } = await open(
    `(data (i32.const 0) "new")${on("downstream_data", 3, "(i32.const 1)", `${note("d")} (if (local.get 2) (then ${replace} (return (i32.const 0))))`)}`,
  );
  context.onNewConnection();
  const scratch = Buffer.from("ab");
  expect(context.onDownstreamData(scratch, false)).toBe(FlowResult.Stop);
  scratch.fill(0);
  expect(context.onDownstreamData(Buffer.from("c"), true)).toBe(FlowResult.Continue);
  expect(context.takeDownstream().toString()).toBe("newabc");
  expect(notes()).toEqual(["d2", "d3"]);
});

test("a connection that is held at its beginning goes on when the plugin says so", async () => {
  const { context, stream } = await open(
    on("vm_start", 2, "(i32.const 1)", "(drop (call $proxy_set_tick_period_milliseconds (i32.const 5)))") +
      on("new_connection", 1, "(i32.const 1)", "") +
      on(
        "tick",
        1,
        "",
        `(drop (call $proxy_set_effective_context (i32.const 2)))
        ${note("u", "(call $proxy_continue_stream (i32.const 3))")} (drop (call $proxy_continue_stream (i32.const 2)))`,
      ),
  );
  expect(context.onNewConnection()).toBe(FlowResult.Stop);
  host.services.clock.advance(12);
  expect(stream.events).toEqual(["continue"]);
  expect(notes()[0]).toBe("u<");
});

test("closing says why; the types of HTTP are harmless; HTTP's maps are not there", async () => {
  const close = (type: number) => note("s", `(call $proxy_close_stream (i32.const ${type}))`);
  const map =
    "(call $proxy_get_header_map_value (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8) (i32.const 12))";
  const { context, stream } = await open(
    on("new_connection", 1, "(i32.const 0)", `${close(0)} ${close(2)} ${close(3)} ${note("s", map)}`),
  );
  context.onNewConnection();
  expect(stream.events).toEqual(["close wasm_downstream_close", "close wasm_upstream_close"]);
  expect(notes()).toEqual(["s0", "s0", "s0", "s2"]);
});

describe("a trap", () => {
  const TRAP = on("downstream_data", 3, "(i32.const 0)", "(unreachable)");

  test("closes the connection once, or lets its bytes pass", async () => {
    const closed = await open(TRAP);
    closed.context.onNewConnection();
    expect(closed.context.onDownstreamData(Buffer.from("x"), false)).toBe(FlowResult.Stop);
    expect(closed.context.onDownstreamData(Buffer.from("y"), false)).toBe(FlowResult.Stop);
    expect(closed.stream.events).toEqual(["close wasm_fail_stream"]);
    const passing = await open(TRAP, { failurePolicy: "open" });
    passing.context.onNewConnection();
    expect(passing.context.onDownstreamData(Buffer.from("x"), false)).toBe(FlowResult.Continue);
    expect(passing.context.takeDownstream().toString()).toBe("x");
    expect(passing.stream.events).toEqual([]);
  });

  test("more than the limit while it is held back closes the connection", async () => {
    const { context, stream } = await open(on("upstream_data", 3, "(i32.const 1)", ""), { limits: { bodyBytes: 4 } });
    context.onNewConnection();
    context.onUpstreamData(Buffer.from("abc"), false);
    expect(context.onUpstreamData(Buffer.from("def"), false)).toBe(FlowResult.Stop);
    expect(stream.events).toEqual(["close wasm_buffer_overflow"]);
  });
});
