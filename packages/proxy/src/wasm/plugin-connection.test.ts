import { afterEach, describe, expect, it } from "vitest";
import {
  type ChainOptions,
  GO_ON,
  NOTE,
  networkPlugin,
  note,
  on,
  PluginChain,
  pluginChain,
  STOP,
  turn,
} from "./testing/plugin-chain.ts";

const chains: PluginChain[] = [];
afterEach(() => {
  for (const chain of chains.splice(0)) chain.close();
});

async function chainOf(body: string, options: ChainOptions = {}): Promise<PluginChain> {
  const chain = await pluginChain(body, options);
  chains.push(chain);
  return chain;
}

const EVERYTHING = [
  NOTE,
  on("context_create", 2, note("c")),
  on("new_connection", 1, note("n", "(local.get 0)"), GO_ON),
  on("downstream_data", 3, `${note("d")} ${note("e", "(local.get 2)")}`, GO_ON),
  on("upstream_data", 3, `${note("u")} ${note("v", "(local.get 2)")}`, GO_ON),
  on("downstream_connection_close", 2, note("D")),
  on("upstream_connection_close", 2, note("U")),
  on("done", 1, note("o", "(local.get 0)"), "(i32.const 1)"),
  on("log", 1, note("l", "(local.get 0)")),
  on("delete", 1, note("x", "(local.get 0)")),
].join("");

describe("a Wasm plugin on connections (envoy.filters.network.wasm)", () => {
  it("hears of a connection, of the bytes both ways and of the ends, and passes them on", async () => {
    const chain = await chainOf(EVERYTHING);
    const { down, connect, closed } = chain.accept();
    const up = connect();
    down.receive("hello");
    up.receive("hi");
    await turn();
    expect([up.sent, down.sent]).toEqual(["hello", "hi"]);
    up.handler?.onEnd();
    await turn();
    expect(down.ended).toBe(true);
    down.handler?.onEnd();
    expect(up.ended).toBe(true);
    down.handler?.onClose(null);
    expect(closed()).toBe(1);
    expect(chain.notes.join(" ")).toBe("c0 c1 n2 d5 e0 u2 v0 u0 v1 U0 d0 e1 D2 o2 l2 x2");
    expect(chain.test.log()).toEqual(["5 2 - -"]);
  });

  it("that ended on our side last is closed locally", async () => {
    const chain = await chainOf(EVERYTHING);
    const { down, connect } = chain.accept();
    const up = connect();
    down.handler?.onEnd();
    up.handler?.onEnd();
    await turn();
    down.handler?.onClose(null);
    expect(chain.notes).toContain("D1");
  });

  it("holds what it wants to see more of, changes it and lets it go", async () => {
    const replace =
      "(drop (call $proxy_set_buffer_bytes (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 4)))";
    const body = `(data (i32.const 0) "new ")${on(
      "downstream_data",
      3,
      `(if (i32.lt_u (local.get 1) (i32.const 4)) (then (return ${STOP}))) ${replace}`,
      GO_ON,
    )}`;
    const chain = await chainOf(body);
    const { down, connect } = chain.accept();
    const up = connect();
    down.receive("ab");
    expect(up.sent).toBe("");
    down.receive("cd");
    expect(up.sent).toBe("new abcd");
    down.receive("wxyz");
    expect(up.sent).toBe("new abcdnew wxyz");
  });

  it("does the same with what goes to the client, where many small writes of one turn are one piece", async () => {
    const body = `${NOTE}(data (i32.const 0) "!")${on(
      "upstream_data",
      3,
      `${note("u")} (drop (call $proxy_set_buffer_bytes (i32.const 3) (i32.const 99) (i32.const 0) (i32.const 0) (i32.const 1)))`,
      GO_ON,
    )}`;
    const chain = await chainOf(body);
    const { down, connect } = chain.accept();
    const up = connect();
    up.receive("ab");
    up.receive("c");
    await turn();
    expect([down.sent, chain.notes]).toEqual(["abc!", ["u3"]]);
  });

  /** From its first tick on it resumes the connection with the number 2. */
  const RESUMES = `${on("vm_start", 2, "(drop (call $proxy_set_tick_period_milliseconds (i32.const 5)))", "(i32.const 1)")}
    ${on(
      "tick",
      1,
      "(drop (call $proxy_set_effective_context (i32.const 2))) (drop (call $proxy_continue_stream (i32.const 2)))",
    )}`;

  it("holds a connection at its beginning: nobody is dialled and nothing read until it resumes", async () => {
    const chain = await chainOf(RESUMES + on("new_connection", 1, "", STOP));
    const { down, dialled, connect } = chain.accept();
    expect([dialled(), down.paused > 0]).toEqual([0, true]);
    chain.test.clock.advance(5);
    expect(dialled()).toBe(1);
    const up = connect();
    down.receive("x");
    expect([up.sent, down.paused]).toEqual(["x", 0]);
  });

  it("holds the client's bytes and their end until it resumes them", async () => {
    const chain = await chainOf(RESUMES + on("downstream_data", 3, "", STOP));
    const { down, connect } = chain.accept();
    const up = connect();
    down.receive("abc");
    down.handler?.onEnd();
    chain.test.clock.advance(5);
    await turn();
    expect([up.sent, up.ended]).toEqual(["abc", true]);
  });

  it("closes connections, with the reason in their log, and what it let through goes out first", async () => {
    const close = (type: number) => `(drop (call $proxy_close_stream (i32.const ${type})))`;
    const chain = await chainOf(on("upstream_data", 3, close(3), GO_ON) + on("downstream_data", 3, close(2), GO_ON));
    const first = chain.accept();
    first.connect().receive("bye");
    await turn();
    await turn();
    expect([first.down.sent, first.down.destroyed]).toEqual(["bye", true]);
    const second = chain.accept();
    const up = second.connect();
    second.down.receive("never");
    await turn();
    expect([up.sent, up.destroyed, second.down.destroyed]).toEqual(["", true, true]);
    for (const { down } of [first, second]) down.handler?.onClose(null);
    expect(chain.test.log()).toEqual(["0 3 wasm_upstream_close -", "5 0 wasm_downstream_close -"]);
  });

  it("closed at its beginning, nobody is dialled for it", async () => {
    const chain = await chainOf(on("new_connection", 1, "(drop (call $proxy_close_stream (i32.const 2)))", GO_ON));
    const { down, dialled } = chain.accept();
    await turn();
    expect([dialled(), down.destroyed]).toEqual([0, true]);
  });

  it("leaves marks that the log of the connection reads", async () => {
    const body = `(data (i32.const 0) "markyes")${on(
      "log",
      1,
      "(drop (call $proxy_set_property (i32.const 0) (i32.const 4) (i32.const 4) (i32.const 3)))",
    )}`;
    const chain = await chainOf(body);
    const { down, connect } = chain.accept();
    connect();
    down.handler?.onClose(new Error("gone"));
    expect(chain.test.log()[0]).toBe("0 0 - yes");
  });

  it("stand in a row: bytes of the client from first to last, those for it the other way", async () => {
    const mark = (letter: string, buffer: number) =>
      `(i32.store8 (i32.const 0) (i32.const ${letter.charCodeAt(0)}))
       (drop (call $proxy_set_buffer_bytes (i32.const ${buffer}) (i32.const 99) (i32.const 0) (i32.const 0) (i32.const 1)))`;
    const body = (letter: string) =>
      on("downstream_data", 3, mark(letter, 2), GO_ON) + on("upstream_data", 3, mark(letter, 3), GO_ON);
    const chain = new PluginChain([networkPlugin("a", body("A")), networkPlugin("b", body("B"))]);
    chains.push(chain);
    await chain.settled();
    const { down, connect } = chain.accept();
    const up = connect();
    down.receive("x");
    up.receive("y");
    await turn();
    expect([up.sent, down.sent]).toEqual(["xAB", "yBA"]);
  });
});

describe("a plugin on connections, beside them", () => {
  it("asks clusters while a connection waits, and goes on with the answer", async () => {
    const pairs =
      '(data (i32.const 200) "\\03\\00\\00\\00\\07\\00\\00\\00\\03\\00\\00\\00\\05\\00\\00\\00\\01\\00\\00\\00\\0a\\00\\00\\00\\01\\00\\00\\00:method\\00GET\\00:path\\00/\\00:authority\\00b\\00") (data (i32.const 300) "auth")';
    const call = `(if (call $proxy_http_call (i32.const 300) (i32.const 4) (i32.const 200) (i32.const 61) (i32.const 0)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1000) (i32.const 64)) (then (unreachable)))`;
    const answer =
      "(drop (call $proxy_set_effective_context (i32.const 2))) (drop (call $proxy_continue_stream (i32.const 2)))";
    const chain = await chainOf(
      NOTE +
        pairs +
        on("new_connection", 1, call, STOP) +
        on("http_call_response", 5, note("r", "(local.get 2)") + answer),
    );
    const auth = chain.test.clusters.add("auth");
    const { dialled } = chain.accept();
    expect([dialled(), auth.last.head]).toMatchObject([0, { ":authority": "b" }]);
    auth.last.respond(204);
    expect([dialled(), chain.notes]).toEqual([1, ["r1"]]);
  });

  it("whose client goes while it waits hears of the end, and nobody is dialled afterwards", async () => {
    const chain = await chainOf(EVERYTHING.replace(/(proxy_on_new_connection.*?)\(i32.const 0\)\)/s, `$1${STOP})`));
    const { down, dialled, closed } = chain.accept();
    down.handler?.onClose(new Error("gone"));
    expect([dialled(), closed(), chain.notes.slice(-4)]).toEqual([0, 1, ["D2", "o2", "l2", "x2"]]);
  });

  it("changes under open connections: new ones get the new version, open ones keep theirs", async () => {
    const version = (letter: string) => NOTE + on("downstream_data", 3, note(letter), GO_ON);
    const first = await chainOf(version("a"));
    const old = first.accept();
    old.connect();
    const next = first.again([networkPlugin("test", version("b"))]);
    chains.push(next);
    first.close();
    await next.settled();
    const fresh = next.accept();
    fresh.connect();
    old.down.receive("x");
    fresh.down.receive("x");
    expect(first.notes).toEqual(["a1", "b1"]);
    const { plugins } = first.test.context.extensions;
    expect(plugins.call(first.test.context.extensions, first.test.clusters).vms).toBe(2);
    old.down.handler?.onClose(new Error("gone"));
    expect(plugins.call(first.test.context.extensions, first.test.clusters).vms).toBe(1);
  });

  it("reads the facts of its connection", async () => {
    const read = (path: string, at: number) => {
      const bytes = path.replaceAll(".", "\\00");
      return `(data (i32.const ${at}) "${bytes}")${on(
        "downstream_data",
        3,
        `(drop (call $proxy_get_property (i32.const ${at}) (i32.const ${path.length}) (i32.const 64) (i32.const 68)))
         (drop (call $proxy_log (i32.const 2) (i32.load (i32.const 64)) (i32.load (i32.const 68))))`,
        GO_ON,
      )}`;
    };
    const seen: string[] = [];
    for (const path of ["source.address", "upstream.address", "cluster_name", "plugin_name"]) {
      const chain = await chainOf(read(path, 100));
      const { down, connect } = chain.accept();
      connect();
      down.receive("x");
      seen.push(...chain.notes);
    }
    expect(seen).toEqual(["10.0.0.9:41000", "10.1.0.5:9080", "c", "test"]);
  });
});

describe("more than a plugin may hold", () => {
  const MiB = 1024 * 1024;

  it("of the client's bytes is not read before it lets go", async () => {
    const chain = await chainOf(on("downstream_data", 3, "", STOP));
    const { down, connect } = chain.accept();
    connect();
    for (let i = 0; i < 15; i++) down.receive("x".repeat(64 * 1024));
    expect(down.paused).toBe(0);
    down.receive("x".repeat(MiB / 16));
    expect(down.paused).toBe(1);
    // Whoever sends on all the same is cut off.
    down.receive("more");
    await turn();
    expect(down.destroyed).toBe(true);
  });

  it("for the client ends the connection, since nothing but more bytes could free it", async () => {
    const chain = await chainOf(on("upstream_data", 3, "", STOP));
    const { down, connect } = chain.accept();
    const up = connect();
    for (let i = 0; i < 17; i++) {
      up.receive("x".repeat(64 * 1024));
      await turn();
    }
    await turn();
    expect([down.sent, down.destroyed, up.destroyed]).toEqual(["", true, true]);
    down.handler?.onClose(null);
    expect(chain.test.log()[0]).toContain("wasm_buffer_overflow");
  });
});

describe("a trap", () => {
  const TRAPS: [string, number, string][] = [
    ["context_create", 2, ""],
    ["new_connection", 1, GO_ON],
    ["downstream_data", 3, GO_ON],
    ["upstream_data", 3, GO_ON],
  ];
  const trap = ([callback, parameters, result]: [string, number, string]) =>
    // The plugin's own context has no parent.
    on(
      callback,
      parameters,
      callback === "context_create" ? "(if (local.get 1) (then (unreachable)))" : "(unreachable)",
      result,
    );

  it.each(TRAPS)("in %s closes the connection, and those that come after", async (...which) => {
    const chain = await chainOf(trap(which));
    for (let i = 0; i < 2; i++) {
      const { down, dialled, connect, closed } = chain.accept();
      if (dialled() === 1 && i === 0) {
        const up = connect();
        down.receive("x");
        up.receive("y");
        await turn();
      }
      await turn();
      await turn();
      expect([down.destroyed, down.sent]).toEqual([true, ""]);
      down.handler?.onClose(null);
      expect(closed()).toBe(1);
    }
    expect(chain.test.log().every((line) => line.includes("wasm_fail_stream"))).toBe(true);
    expect(chain.test.hostLog.join()).toContain(`Function: proxy_on_${which[0]} failed: unreachable`);
  });

  it.each(TRAPS)("in %s leaves the connection alone where the policy is open", async (...which) => {
    const chain = await chainOf(trap(which), { policy: "FAIL_OPEN" });
    for (let i = 0; i < 2; i++) {
      const { down, connect } = chain.accept();
      const up = connect();
      down.receive("x");
      up.receive("y");
      await turn();
      expect([up.sent, down.sent, down.destroyed]).toEqual(["x", "y", false]);
    }
  });

  it.each(["downstream_connection_close", "upstream_connection_close", "done", "log", "delete"])(
    "in %s lets the connection end as it does",
    async (callback) => {
      const result = callback === "done" ? GO_ON : "";
      const chain = await chainOf(on(callback, callback.endsWith("close") ? 2 : 1, "(unreachable)", result));
      const { down, connect, closed } = chain.accept();
      const up = connect();
      up.handler?.onEnd();
      await turn();
      down.handler?.onEnd();
      down.handler?.onClose(null);
      expect([closed(), up.ended]).toEqual([1, true]);
      expect(chain.test.hostLog.join()).toContain(`Function: proxy_on_${callback} failed`);
    },
  );

  it("frees what connections had to wait for: closed ends them, open lets them go on", async () => {
    const body =
      on("new_connection", 1, "", STOP) +
      on("vm_start", 2, "(drop (call $proxy_set_tick_period_milliseconds (i32.const 5)))", "(i32.const 1)") +
      on("tick", 1, "(unreachable)");
    const closed = await chainOf(body);
    const first = closed.accept();
    closed.test.clock.advance(5);
    await turn();
    expect([first.down.destroyed, first.dialled()]).toEqual([true, 0]);
    const open = await chainOf(body, { policy: "FAIL_OPEN" });
    const second = open.accept();
    open.test.clock.advance(5);
    expect([second.down.destroyed, second.dialled()]).toEqual([false, 1]);
  });

  it("frees what it held both ways where the policy is open", async () => {
    const body =
      on("downstream_data", 3, "", STOP) +
      on("upstream_data", 3, "", STOP) +
      on("vm_start", 2, "(drop (call $proxy_set_tick_period_milliseconds (i32.const 5)))", "(i32.const 1)") +
      on("tick", 1, "(unreachable)");
    const chain = await chainOf(body, { policy: "FAIL_OPEN" });
    const { down, connect } = chain.accept();
    const up = connect();
    down.receive("asked");
    up.receive("answered");
    up.handler?.onEnd();
    await turn();
    expect([up.sent, down.sent]).toEqual(["", ""]);
    chain.test.clock.advance(5);
    await turn();
    expect([up.sent, down.sent, down.ended]).toEqual(["asked", "answered", true]);
  });
});
