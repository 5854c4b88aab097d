import { assemble, moduleText } from "@mixerless/wasm/testing";
import { afterEach, describe, expect, it } from "vitest";
import { headersOf } from "../../http/testing/fake-server-codec.ts";
import { OUTCOME_LOG, ROUTER, routesTo, TestProxy, type TestProxyOptions } from "../../http/testing/test-proxy.ts";

const STRING = "type.googleapis.com/google.protobuf.StringValue";

interface PluginOptions {
  readonly configuration?: string;
  readonly policy?: string;
  readonly more?: object;
}

function filterOf(
  bytes: Uint8Array,
  { configuration = "", policy = "FAIL_CLOSED", more = {} }: PluginOptions = {},
): object {
  return {
    name: "plugin",
    typedConfig: {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
      config: {
        name: "test",
        rootId: "root",
        configuration: { "@type": STRING, value: configuration },
        failurePolicy: policy,
        vmConfig: { code: { local: { inlineBytes: Buffer.from(bytes).toString("base64") } } },
        ...more,
      },
    },
  };
}

function managerOf(filter: object): object {
  return {
    routeConfig: routesTo([
      { match: { prefix: "/other" }, route: { cluster: "other" } },
      { match: { prefix: "/" }, route: { cluster: "c" } },
    ]),
    httpFilters: [filter, ROUTER],
    accessLog: [OUTCOME_LOG],
  };
}

const proxies: TestProxy[] = [];

afterEach(() => {
  for (const proxy of proxies.splice(0)) proxy.factory.close?.();
});

/** A proxy with a plugin, once it runs. */
async function proxyWith(body: string, options: PluginOptions = {}, proxy: TestProxyOptions = {}) {
  const test = new TestProxy(managerOf(filterOf(assemble(moduleText(body)), options)), proxy);
  proxies.push(test);
  const cluster = test.clusters.add("c");
  await compiled(test);
  return { test, cluster };
}

function compiled(test: TestProxy): Promise<void> {
  return test.context.extensions.plugins(test.clusters).settled();
}

function on(callback: string, body: string, parameters = "i32 i32 i32", result = "(result i32)"): string {
  return `(func (export "proxy_on_${callback}") (param ${parameters}) ${result} ${body})`;
}

const TEXTS = '(data (i32.const 0) "x-plugin:path/other[]")';
const set = (map: number, key: [number, number], value: [number, number]) =>
  `(drop (call $proxy_replace_header_map_value (i32.const ${map}) (i32.const ${key[0]}) (i32.const ${key[1]}) (i32.const ${value[0]}) (i32.const ${value[1]})))`;
/** A local reply of 403 with the body `/other` and the details `x-plugin`. */
const REPLY =
  "(drop (call $proxy_send_local_response (i32.const 403) (i32.const 0) (i32.const 8) (i32.const 13) (i32.const 6) (i32.const 0) (i32.const 0) (i32.const -1)))";
const NAME: [number, number] = [0, 8];
const PATH: [number, number] = [8, 5];
const OTHER: [number, number] = [13, 6];

describe("a Wasm plugin in a filter chain", () => {
  it("changes requests and responses on their way", async () => {
    const body =
      TEXTS +
      on("request_headers", `${set(0, NAME, OTHER)} (i32.const 0)`) +
      on("response_headers", `${set(2, NAME, PATH)} (i32.const 0)`);
    const { test, cluster } = await proxyWith(body);
    const exchange = test.request();
    expect(cluster.last.head).toMatchObject({ "x-plugin": "/other" });
    cluster.last.respond(200, {}, "body");
    expect(exchange.head).toMatchObject({ ":status": "200", "x-plugin": ":path" });
    expect(exchange.body).toBe("body");
    expect(test.log()).toEqual(["200 - via_upstream"]);
  });

  it("chooses the route anew after a change of the path", async () => {
    const { test } = await proxyWith(TEXTS + on("request_headers", `${set(0, PATH, OTHER)} (i32.const 0)`));
    const other = test.clusters.add("other");
    test.request();
    expect(other.last.head).toMatchObject({ ":path": "/other" });
  });

  it("answers by itself, and its response callback sees the answer", async () => {
    const body =
      TEXTS +
      on("request_headers", `${REPLY} (i32.const 0)`) +
      on("response_headers", `${set(2, NAME, PATH)} (i32.const 0)`);
    const { test, cluster } = await proxyWith(body);
    const exchange = test.request();
    expect(exchange.head).toMatchObject({ ":status": "403", "x-plugin": ":path" });
    expect(exchange.body).toBe("/other");
    expect(cluster.attempts).toHaveLength(0);
    expect(test.log()).toEqual(["403 - x-plugin"]);
  });

  it.each([
    ["head", on("response_headers", `${REPLY} (i32.const 0)`)],
    [
      "body, while it holds the head back",
      on("response_headers", "(i32.const 1)") + on("response_body", `${REPLY} (i32.const 1)`),
    ],
  ])("answers in place of the upstream when it sees the response's %s", async (_what, callbacks) => {
    const { test, cluster } = await proxyWith(TEXTS + callbacks, {
      more: { allowOnHeadersStopIteration: true },
    });
    const exchange = test.request();
    cluster.last.begin(200, { "x-secret": "1" }).data("secret", true);
    expect(exchange.head).toMatchObject({ ":status": "403" });
    expect(exchange.head).not.toHaveProperty("x-secret");
    expect(exchange.body).toBe("/other");
    expect(test.log()).toEqual(["403 - x-plugin"]);
  });

  it("is no answer any more when the client has seen the response's head", async () => {
    const { test, cluster } = await proxyWith(TEXTS + on("response_body", `${REPLY} (i32.const 0)`));
    const exchange = test.request();
    cluster.last.begin(200).data("secret", true);
    expect(exchange.head).toMatchObject({ ":status": "200" });
    expect(exchange.body).toBe("");
    expect(test.log()).toEqual(["200 - x-plugin"]);
  });

  it("reads the attributes of the stream and of the node", async () => {
    const get = (at: number, size: number) =>
      `(drop (call $proxy_get_property (i32.const ${at}) (i32.const ${size}) (i32.const 64) (i32.const 68)))
       (drop (call $proxy_add_header_map_value (i32.const 0) (i32.const 0) (i32.const 8) (i32.load (i32.const 64)) (i32.load (i32.const 68))))`;
    const paths =
      '(data (i32.const 100) "request\\00path") (data (i32.const 120) "xds\\00node\\00id") (data (i32.const 140) "plugin_root_id")';
    const body = TEXTS + paths + on("request_headers", `${get(100, 12)} ${get(120, 11)} ${get(140, 14)} (i32.const 0)`);
    const { test, cluster } = await proxyWith(body, {}, { node: { id: "sidecar~1" } });
    test.request({ ":path": "/x?y" });
    expect(cluster.last.head).toMatchObject({ "x-plugin": "/x?y,sidecar~1,root" });
  });

  it("lets streams go on that it has nothing to do with, with bodies and trailers", async () => {
    const { test, cluster } = await proxyWith("");
    const exchange = test.request({ ":method": "POST" }, false);
    exchange.data("abc").decoder?.onTrailers(headersOf({ t: "1" }));
    expect(cluster.last).toMatchObject({ body: "abc", trailers: { t: "1" }, complete: true });
    cluster.last.begin(200).data("x").data("y", true);
    expect(exchange.body).toBe("xy");
  });
});

describe("bodies", () => {
  /** Holds the body until its end, then puts brackets around it. */
  const bracket = (callback: string, map: number, buffer: number) => `${TEXTS}
    (data (i32.const 40) "content-length")
    ${on(callback.replace("body", "headers"), `(drop (call $proxy_remove_header_map_value (i32.const ${map}) (i32.const 40) (i32.const 14))) (i32.const 0)`)}
    ${on(
      callback,
      `(if (i32.eqz (local.get 2)) (then (return (i32.const 1))))
       (drop (call $proxy_set_buffer_bytes (i32.const ${buffer}) (i32.const 0) (i32.const 0) (i32.const 19) (i32.const 1)))
       (drop (call $proxy_set_buffer_bytes (i32.const ${buffer}) (i32.const 9999) (i32.const 0) (i32.const 20) (i32.const 1)))
       (i32.const 0)`,
    )}`;

  it("of requests are held, changed and passed on", async () => {
    const { test, cluster } = await proxyWith(bracket("request_body", 0, 0));
    const exchange = test.request({ ":method": "POST", "content-length": "4" }, false);
    exchange.data("ab");
    expect(cluster.last.body).toBe("");
    exchange.data("cd", true);
    expect(cluster.last).toMatchObject({ body: "[abcd]", complete: true });
    expect(cluster.last.head).not.toHaveProperty("content-length");
  });

  it("of responses too", async () => {
    const { test, cluster } = await proxyWith(bracket("response_body", 2, 1));
    const exchange = test.request();
    cluster.last.begin(200, { "content-length": "4" }).data("ab").data("cd", true);
    expect(exchange.body).toBe("[abcd]");
    expect(exchange.head).not.toHaveProperty("content-length");
  });

  it("that were announced with a length and then changed end the stream", async () => {
    const body =
      TEXTS +
      on(
        "response_body",
        "(drop (call $proxy_set_buffer_bytes (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1))) (i32.const 0)",
      );
    const { test, cluster } = await proxyWith(body);
    test.request();
    cluster.last.begin(200, { "content-length": "4" }).data("abcd", true);
    expect(test.log()).toEqual(["200 - wasm_body_length_changed"]);
  });

  it("that are larger than what may be held are refused with 413", async () => {
    const { test, cluster } = await proxyWith(on("request_body", "(i32.const 1)"));
    const exchange = test.request({ ":method": "POST" }, false);
    for (let i = 0; i < 3; i++) exchange.data("x".repeat(500_000));
    expect(exchange.head).toMatchObject({ ":status": "413" });
    expect(cluster.last.body).toBe("");
    expect(test.log()[0]).toContain("request_payload_too_large");
  });

  it("get trailers where they had none", async () => {
    const add =
      "(drop (call $proxy_add_header_map_value (i32.const 1) (i32.const 0) (i32.const 8) (i32.const 13) (i32.const 6)))";
    const { test, cluster } = await proxyWith(
      TEXTS + on("request_body", `(if (local.get 2) (then ${add})) (i32.const 0)`),
    );
    test.request({ ":method": "POST" }, false).data("ab", true);
    expect(cluster.last).toMatchObject({ body: "ab", trailers: { "x-plugin": "/other" }, complete: true });
  });
});

describe("waiting", () => {
  const PAIRS =
    '(data (i32.const 200) "\\03\\00\\00\\00\\07\\00\\00\\00\\03\\00\\00\\00\\05\\00\\00\\00\\01\\00\\00\\00\\0a\\00\\00\\00\\01\\00\\00\\00:method\\00GET\\00:path\\00/\\00:authority\\00b\\00") (data (i32.const 300) "auth")';
  const CALL = `(if (call $proxy_http_call (i32.const 300) (i32.const 4) (i32.const 200) (i32.const 61) (i32.const 0) (i32.const 0)
    (i32.const 0) (i32.const 0) (i32.const 1000) (i32.const 64)) (then (unreachable)))`;
  /** Asks another cluster and resumes the stream with the second context when the answer has come. */
  const ASKING = `${TEXTS} ${PAIRS} ${on("request_headers", `${CALL} (i32.const 4)`)}
    ${on("request_body", `${set(0, NAME, OTHER)} (i32.const 0)`)}
    ${on(
      "http_call_response",
      `(drop (call $proxy_set_effective_context (i32.const 2)))
       (drop (call $proxy_get_header_map_value (i32.const 6) (i32.const 320) (i32.const 7) (i32.const 64) (i32.const 68)))
       ${"(drop (call $proxy_add_header_map_value (i32.const 0) (i32.const 0) (i32.const 8) (i32.load (i32.const 64)) (i32.load (i32.const 68))))"}
       (drop (call $proxy_continue_stream (i32.const 0)))`,
      "i32 i32 i32 i32 i32",
      "",
    )} (data (i32.const 320) ":status")`;

  it("for another service: the request goes on when it has answered, what came meanwhile with it", async () => {
    const { test, cluster } = await proxyWith(ASKING);
    const auth = test.clusters.add("auth");
    const exchange = test.request({ ":method": "POST" }, false);
    exchange.data("early");
    expect(cluster.attempts).toHaveLength(0);
    expect(auth.last.head).toMatchObject({ ":method": "GET", ":authority": "b" });
    auth.last.respond(204);
    expect(cluster.last.head).toMatchObject({ "x-plugin": "204" });
    exchange.data("late", true);
    expect(cluster.last).toMatchObject({ body: "earlylate", complete: true });
  });

  it.each([
    ["no answer in time", "504"],
    ["a connection that breaks", "503"],
  ])("%s is an answer of status %s", async (what, status) => {
    const { test, cluster } = await proxyWith(ASKING);
    const auth = test.clusters.add("auth");
    test.request();
    if (status === "504") test.clock.advance(1000);
    else auth.last.decoder.onReset("connection-termination");
    expect(cluster.last.head, what).toMatchObject({ "x-plugin": status });
  });

  it("a client that goes away ends the call's use", async () => {
    const { test, cluster } = await proxyWith(ASKING);
    const auth = test.clusters.add("auth");
    const exchange = test.request();
    exchange.disconnect();
    auth.last.respond(200);
    expect(cluster.attempts).toHaveLength(0);
  });
});

describe("failure", () => {
  it("closed answers 503, open lets the stream go on", async () => {
    const trap = on("request_headers", "(unreachable)");
    const closed = await proxyWith(trap);
    expect(closed.test.request().head).toMatchObject({ ":status": "503" });
    expect(closed.test.request().head).toMatchObject({ ":status": "503" });
    expect(closed.test.log()).toEqual(["503 - wasm_fail_stream", "503 - wasm_fail_stream"]);
    expect(closed.test.hostLog.join()).toContain("Function: proxy_on_request_headers failed: unreachable");
    const open = await proxyWith(trap, { policy: "FAIL_OPEN" });
    for (let i = 0; i < 2; i++) {
      open.test.request();
      expect(open.cluster.attempts).toHaveLength(i + 1);
    }
  });

  const HOLD_HEADERS = on("response_headers", "(i32.const 1)");

  it.each([
    ["headers", on("response_headers", "(unreachable)")],
    ["the body of held headers", HOLD_HEADERS + on("response_body", "(unreachable)")],
  ])("of a response is answered with 503 as long as nothing of it is out: %s", async (_what, plugin) => {
    const { test, cluster } = await proxyWith(plugin, {
      more: { allowOnHeadersStopIteration: true },
    });
    const exchange = test.request();
    cluster.last.respond(200, {}, "from upstream");
    expect(exchange.head).toMatchObject({ ":status": "503" });
    expect([exchange.resetReason, exchange.body, exchange.complete]).toEqual([null, "", true]);
    expect(test.log()).toEqual(["503 - wasm_fail_stream"]);
  });

  it("of a response that is under way resets the stream", async () => {
    const { test, cluster } = await proxyWith(on("response_body", "(unreachable)"));
    const exchange = test.request();
    cluster.last.respond(200, {}, "from upstream");
    expect([exchange.head?.[":status"], exchange.resetReason]).toEqual(["200", "local"]);
    expect(test.log()).toEqual(["200 - wasm_fail_stream"]);
  });

  it("until a module is compiled the policy decides; a bad one is logged", async () => {
    const test = new TestProxy(managerOf(filterOf(Buffer.from("<html>"))));
    proxies.push(test);
    expect(test.request().head).toMatchObject({ ":status": "503" });
    await compiled(test);
    expect(test.hostLog.join()).toContain("Unable to create Wasm plugin test: Failed to parse corrupted Wasm module");
  });

  it("what can't be understood is a fault with the field's path", () => {
    const refused = (more: object) => () => new TestProxy(managerOf(filterOf(Buffer.alloc(0), { more })));
    expect(refused({ failOpen: true })).toThrow("config.fail_open: only one of");
    expect(refused({ vmConfig: {} })).toThrow("config.vm_config.code: names no module");
    const remote = { httpUri: { uri: "http://x", cluster: "c", timeout: "1s" }, sha256: "ab".repeat(32) };
    expect(refused({ vmConfig: { code: { remote } } })).toThrow("remote code is not fetched");
  });
});
