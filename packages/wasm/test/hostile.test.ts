import { beforeEach, describe, expect, test } from "vitest";
import { type FailureKind, isFault, type LimitName, type PluginConfig, pluginConfig } from "../src/index.ts";
import { assemble, FakeHttpStream, moduleText, TestHost } from "../src/testing/index.ts";

/** Small enough that a test of every limit takes milliseconds. */
const TIGHT: PluginConfig["limits"] = {
  callbackFuel: 1_000_000,
  streamFuel: 5_000_000,
  startFuel: 2_000_000,
  startTimeout: 2000,
  callbackWork: 15_000,
  memoryPages: 32,
  logRate: 10,
};

interface Hostile {
  readonly name: string;
  readonly body: string;
  /** Why the VM fails; null: it goes on, and the limit says no by itself. */
  readonly fails: FailureKind | null;
  readonly limit?: LimitName;
  /** The VM fails before there is a stream. */
  readonly atStart?: boolean;
  readonly frame?: Parameters<typeof moduleText>[1];
}

const LOOP = "(loop $l (br $l))";

/** `body` in a callback with three parameters. */
const request = (body: string, more = "") =>
  `${more} (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (local $i i32) ${body} (i32.const 0))`;

/** Calls something a million times, whatever it answers. */
const flood = (call: string, more = "") =>
  request(
    `(loop $again (drop ${call})
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 1000000))))`,
    more,
  );

const callback = (name: string, parameters: string, result: string, body: string) =>
  `(func (export "proxy_on_${name}") ${parameters} ${result} ${body} ${result.length > 0 ? "(i32.const 1)" : ""})`;

const two = "(param i32 i32)";
const i32 = "(result i32)";

const HOSTILE: readonly Hostile[] = [
  { name: "a start function that never returns", body: `(func $s ${LOOP}) (start $s)`, fails: "fuel", atStart: true },
  { name: "a start function that traps", body: "(func $s (unreachable)) (start $s)", fails: "trap", atStart: true },
  {
    name: "_initialize that never returns",
    body: `(func (export "_initialize") ${LOOP})`,
    fails: "fuel",
    atStart: true,
  },
  { name: "_start that traps", body: '(func (export "_start") (unreachable))', fails: "trap", atStart: true },
  {
    name: "_start that exits",
    body: '(func (export "_start") (call $proc_exit (i32.const 3)))',
    fails: "exit",
    atStart: true,
  },
  {
    name: "_start that calls what is forbidden there",
    body: '(func (export "_start") (drop (call $proxy_set_tick_period_milliseconds (i32.const 1))))',
    fails: "restricted",
    atStart: true,
  },
  {
    name: "vm_start that never returns",
    body: callback("vm_start", two, i32, LOOP),
    fails: "fuel",
    limit: "startFuel",
    atStart: true,
  },
  {
    name: "vm_start that says no",
    body: callback("vm_start", two, i32, "(return (i32.const 0))"),
    fails: "refused",
    atStart: true,
  },
  { name: "configure that never returns", body: callback("configure", two, i32, LOOP), fails: "fuel", atStart: true },
  {
    name: "configure that traps",
    body: callback("configure", two, i32, "(unreachable)"),
    fails: "trap",
    atStart: true,
  },
  {
    name: "context_create that never returns",
    body: callback("context_create", two, "", LOOP),
    fails: "fuel",
    atStart: true,
  },
  {
    name: "an allocator that calls what is forbidden there",
    body: `(func (export "malloc") (param i32) (result i32) (drop (call $proxy_done)) (i32.const 64))${request(GET())}`,
    frame: { allocator: "" },
    fails: "restricted",
  },
  {
    name: "an allocator that never returns",
    body: `(func (export "malloc") (param i32) (result i32) ${LOOP} (i32.const 0))${request(GET())}`,
    frame: { allocator: "" },
    fails: "fuel",
  },
  {
    name: "an allocator that gives memory which isn't there",
    body: `(func (export "malloc") (param i32) (result i32) (i32.const -16))${request(GET())}`,
    frame: { allocator: "" },
    fails: null,
  },
  {
    name: "an allocator that has none",
    body: `(func (export "malloc") (param i32) (result i32) (i32.const 0))${request(GET())}`,
    frame: { allocator: "" },
    fails: null,
  },
  { name: "request_headers that never returns", body: request(LOOP), fails: "fuel", limit: "callbackFuel" },
  {
    name: "a tick that never returns",
    body:
      callback("vm_start", two, i32, "(drop (call $proxy_set_tick_period_milliseconds (i32.const 1)))") +
      callback("tick", "(param i32)", "", LOOP),
    fails: "fuel",
  },
  { name: "a log that never returns", body: callback("log", "(param i32)", "", LOOP), fails: "fuel" },
  { name: "done that never returns", body: callback("done", "(param i32)", i32, LOOP), fails: "fuel" },
  { name: "delete that never returns", body: callback("delete", "(param i32)", "", LOOP), fails: "fuel" },
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
    fails: "trap",
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
  {
    name: "pointers from nowhere",
    body: flood("(call $proxy_log (i32.const 2) (i32.const -1) (i32.const -1))"),
    fails: "work",
    limit: "callbackWork",
  },
  {
    name: "a flood of log messages",
    body: request("(call $some)", FEW("(call $proxy_log (i32.const 2) (i32.const 0) (i32.const 4))")),
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
      FEW("(call $proxy_define_metric (i32.const 0) (i32.const 100) (i32.const 2) (i32.const 8))"),
    ),
    fails: null,
    limit: "metrics",
  },
  {
    name: "a flood of headers",
    body: request(
      "(call $some)",
      FEW(
        "(call $proxy_add_header_map_value (i32.const 0) (i32.const 100) (i32.const 2) (i32.const 0) (i32.const 400))",
      ),
    ),
    fails: null,
    limit: "headerGrowth",
  },
  {
    name: "a flood of calls",
    body: CALLS(request("(call $some)", FEW("(call $call)"))),
    fails: null,
    limit: "callouts",
  },
  {
    name: "a flood of look-ups",
    body: request("(call $some)", FEW("(call $envoy_resolve_dns (i32.const 100) (i32.const 2) (i32.const 8))")),
    fails: null,
    limit: "callouts",
  },
  {
    name: "a flood of shared data",
    body: request(
      "(call $some)",
      FEW("(call $proxy_set_shared_data (i32.const 100) (i32.const 2) (i32.const 0) (i32.const 4000) (i32.const 0))"),
    ),
    fails: null,
    limit: "sharedDataBytes",
  },
  {
    name: "a flood of queues",
    body: request(
      "(call $some)",
      FEW("(call $proxy_register_shared_queue (i32.const 100) (i32.const 2) (i32.const 8))"),
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
      "(call $proxy_send_local_response (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const -1))",
    ),
    fails: "work",
  },
  { name: "an exit in the middle of a stream", body: request("(call $proc_exit (i32.const 0))"), fails: "exit" },
];

function GET(): string {
  return "(drop (call $proxy_get_header_map_pairs (i32.const 0) (i32.const 0) (i32.const 4)))";
}

/** Does something 1,500 times, with another number in the bytes 100 and 101 each time. */
function FEW(call: string): string {
  return `(func $some (local $i i32) (loop $again
    (i32.store16 (i32.const 100) (i32.add (i32.const 24672) (local.get $i)))
    (drop ${call})
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $i) (i32.const 1500)))))`;
}

function CALLS(body: string): string {
  const pairs = ":method\\00GET\\00:path\\00/\\00:authority\\00b\\00";
  return `(data (i32.const 200) "\\03\\00\\00\\00\\07\\00\\00\\00\\03\\00\\00\\00\\05\\00\\00\\00\\01\\00\\00\\00\\0a\\00\\00\\00\\01\\00\\00\\00${pairs}")
    (data (i32.const 300) "backend")
    (func $call (result i32) (call $proxy_http_call (i32.const 300) (i32.const 7) (i32.const 200) (i32.const 61)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 8)))
    ${body}`;
}

/** A module that does its work: it stands for the plugins and streams of others. */
const GOOD = request(
  "(drop (call $proxy_add_header_map_value (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 1)))",
  '(data (i32.const 0) "x")',
);

let host: TestHost;

beforeEach(() => {
  host = new TestHost();
});

async function meet({ body, frame, limit }: Hostile, failurePolicy: PluginConfig["failurePolicy"]) {
  const limits = {
    ...TIGHT,
    ...(limit === undefined || limit === "logRate" || limit.startsWith("callback") || limit.startsWith("start")
      ? {}
      : SMALL),
  };
  const module = await host.load(assemble(moduleText(body, frame)), limits);
  return host.host.create(pluginConfig("hostile", { limits, failurePolicy, vmId: "hostile" }), module);
}

const SMALL: PluginConfig["limits"] = {
  metrics: 100,
  headerGrowth: 4096,
  callouts: 10,
  sharedDataBytes: 10_000,
  queues: 10,
};

/** A whole stream, with time for ticks. */
function stream(plugin: Awaited<ReturnType<typeof meet>>): { events: string[]; outcome: string } {
  const facts = new FakeHttpStream();
  const context = plugin.openHttp(facts);
  if (typeof context === "string") return { events: [], outcome: context };
  const answer = context.onRequestHeaders(true);
  host.services.clock.advance(2);
  facts.respond();
  context.onResponseHeaders(true);
  context.onLog();
  context.onDestroy();
  return { events: facts.events.filter((event) => event !== "clear route"), outcome: `answered ${answer}` };
}

describe("a hostile module keeps what it does to itself", () => {
  test("there are more than thirty of them", () => {
    expect(HOSTILE.length).toBeGreaterThan(30);
  });

  test.each(HOSTILE)("$name", async (hostile) => {
    const good = await host.plugin(GOOD, { limits: TIGHT });
    const plugin = await meet(hostile, "closed");
    if (hostile.atStart === true) {
      expect(plugin.status()).toMatchObject({ state: "failed", lastFailure: { kind: hostile.fails } });
      expect(stream(plugin).outcome).toBe("fail");
    } else {
      expect(plugin.status().state).toBe("running");
      stream(plugin);
      expect(plugin.status().lastFailure?.kind ?? null).toBe(hostile.fails);
      expect(plugin.status().state).toBe(hostile.fails === null ? "running" : "failed");
    }
    if (hostile.limit !== undefined) expect(plugin.status().limitHits).toHaveProperty(hostile.limit);
    // Others notice nothing.
    expect(stream(good)).toEqual({ events: [], outcome: "answered 0" });
    expect(good.status()).toMatchObject({ state: "running", failures: 0, limitHits: {} });
    host.close();
  });

  test.each(HOSTILE.filter(({ fails }) => fails !== null))("$name, with FAIL_OPEN: streams go on", async (hostile) => {
    const plugin = await meet(hostile, "open");
    for (let i = 0; i < 3; i++) {
      const { events, outcome } = stream(plugin);
      expect(events.filter((event) => event.startsWith("reply 5"))).toEqual([]);
      expect(outcome === "bypass" || outcome === "answered 0" || outcome === "answered 4", outcome).toBe(true);
    }
    host.close();
  });
});

describe("limits", () => {
  test("fuel is per callback and full again for the next", async () => {
    const plugin = await host.plugin(request("(call $f (i32.const 5000))", SPEND), {
      limits: { callbackFuel: 60_000 },
    });
    for (let i = 0; i < 5; i++) expect(stream(plugin).outcome).toBe("answered 0");
  });

  test("a stream's fuel is used up by all its callbacks together", async () => {
    const spend = "(call $f (i32.const 5000))";
    const body =
      request(spend, SPEND) + callback("request_body", "(param i32 i32 i32)", i32, `${spend} (return (i32.const 0))`);
    const plugin = await host.plugin(body, { limits: { callbackFuel: 60_000, streamFuel: 150_000 } });
    const { context } = host.open(plugin);
    const answers = [context.onRequestHeaders(false)];
    for (let i = 0; i < 4; i++) answers.push(context.onRequestBody(Buffer.from("x"), false));
    expect(answers.slice(0, 2)).toEqual([0, 0]);
    expect(answers.at(-1)).toBe(3);
    expect(plugin.status()).toMatchObject({ lastFailure: { kind: "fuel" }, limitHits: { streamFuel: 1 } });
  });

  test("limits change while the plugin runs", async () => {
    const plugin = await host.plugin(request("(call $f (i32.const 5000))", SPEND));
    expect(stream(plugin).outcome).toBe("answered 0");
    plugin.setLimits({ callbackFuel: 1000 });
    expect(stream(plugin).outcome).toBe("answered 4");
    expect(plugin.status().limitHits).toEqual({ callbackFuel: 1 });
  });

  test("a limit that can't be one is refused with its name", async () => {
    const plugin = await host.plugin("");
    expect(() => plugin.setLimits({ callbackFuel: 2 ** 31 })).toThrow("callbackFuel can't be 2147483648");
    expect(() => plugin.setLimits({ logRate: -1 })).toThrow("logRate can't be -1");
  });

  test("log messages: a burst, then so many a second, the rest counted and mentioned", async () => {
    const say = "(drop (call $proxy_log (i32.const 2) (i32.const 0) (i32.const 3)))";
    const plugin = await host.plugin(request(say.repeat(30), '(data (i32.const 0) "abc")'), { limits: { logRate: 1 } });
    stream(plugin);
    expect(host.services.texts()).toHaveLength(10);
    host.services.clock.advance(2000);
    stream(plugin);
    expect(host.services.texts().slice(10)).toEqual([
      "wasm log test: 20 messages were left out: more than 1 a second",
      "wasm log test: abc",
      "wasm log test: abc",
    ]);
    expect(plugin.status().limitHits).toEqual({ logRate: 48 });
  });

  test("a long message is cut", async () => {
    const plugin = await host.plugin(
      request("(drop (call $proxy_log (i32.const 2) (i32.const 0) (i32.const 9)))", '(data (i32.const 0) "123456789")'),
      {
        limits: { logBytes: 4 },
      },
    );
    stream(plugin);
    expect(host.services.texts()).toEqual(["wasm log test: 1234 … (cut)"]);
  });

  test("what plugins ran into and how they failed is counted in the store", async () => {
    const plugin = await host.plugin(request(LOOP), { limits: TIGHT });
    stream(plugin);
    stream(plugin);
    host.services.clock.advance(1000);
    const text = host.metrics.text();
    expect(text).toContain('mixerless_plugin_failures_total{plugin="test",kind="fuel"} 1');
    expect(text).toContain('mixerless_plugin_limit_hits_total{plugin="test",limit="callbackFuel"} 1');
    expect(text).toContain('mixerless_plugin_streams_total{plugin="test",outcome="failed"} 2');
    expect(text).toContain('mixerless_plugin_calls_total{plugin="test"} 1');
    expect(text).toContain("envoy_wasm_envoy_wasm_runtime_v8_created 1");
    expect(text).toContain("envoy_wasm_envoy_wasm_runtime_v8_active 0");
  });
});

/** Uses about nine units of fuel for each of its argument. */
const SPEND = `(func $f (param $n i32) (loop $l
  (local.set $n (i32.sub (local.get $n) (i32.const 1)))
  (br_if $l (local.get $n))))`;

describe("modules that can't be loaded", () => {
  test.each([
    ["truncated", assemble(moduleText("")).slice(0, 40)],
    ["garbage", new Uint8Array(Buffer.alloc(1000, "garbage "))],
    ["unknown imports", assemble(moduleText('(import "env" "fork" (func (result i32)))'))],
    ["a wrong signature", assemble(moduleText('(func (export "proxy_on_tick") (result i32) (i32.const 1))'))],
    ["a function that isn't valid", assemble(moduleText("(func (drop (i32.add (i32.const 1) (i64.const 1))))"))],
  ])("%s", async (_name, bytes) => {
    expect(isFault(await host.host.load(bytes))).toBe(true);
  });
});
