import type { HttpContext, Plugin, PluginConfig } from "@mixerless/wasm";
import { FlowResult, HeadersResult, pluginConfig } from "@mixerless/wasm";
import { FakeHttpStream, FakeTcpStream, GET, TestHost } from "@mixerless/wasm/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { titled } from "../peers.ts";
import { type Built, buildAssemblyScript, buildGo, buildRust } from "./build-plugins.ts";

const RUST = [
  ...["headers", "body_replace", "body_upstream", "auth_call", "tick_queue", "shared_counter", "metrics", "network"],
  ...["configuration", "local_reply", "grpc_call", "properties", "panic", "foreign"],
];

let host: TestHost;

beforeEach(() => {
  host = new TestHost();
});

async function start(built: Built, name: string, config: Partial<PluginConfig> = {}): Promise<Plugin> {
  if ("missing" in built) throw new Error(built.missing);
  const bytes = built.get(name);
  if (bytes === undefined) throw new Error(`no module ${name}`);
  return host.host.create(pluginConfig(name, config), await host.load(bytes));
}

function open(
  plugin: Plugin,
  path = "/",
  more: readonly (readonly [string, string])[] = [],
): { context: HttpContext; stream: FakeHttpStream } {
  const headers = GET.map(([name, value]): [string, string] => [name, name === ":path" ? path : value]);
  return host.open(plugin, new FakeHttpStream([...headers, ...more]));
}

const logs = (level = 0) => host.services.texts(level);

const rust = buildRust(RUST);

describe.skipIf("missing" in rust)(titled("plugins of the Rust crate", ["missing" in rust && rust.missing]), () => {
  test("headers: read, added, replaced, removed; logged at the end", async () => {
    const plugin = await start(rust, "headers");
    const { context, stream } = open(plugin, "/x", [
      ["user-agent", "curl"],
      ["x-secret", "s"],
    ]);
    expect(context.onRequestHeaders(true)).toBe(HeadersResult.Continue);
    expect(logs()[0]).toBe("wasm log headers: #2 -> :method: GET");
    expect(stream.headers(0)?.value("x-count")).toBe("6");
    expect(stream.headers(0)?.value("user-agent")).toBe("rust");
    expect(stream.headers(0)?.value("x-secret")).toBeNull();
    const response = stream.respond();
    context.onResponseHeaders(true);
    expect(response.value("x-served-by")).toBe("rust");
    context.onLog();
    context.onDestroy();
    expect(logs().at(-1)).toBe('wasm log headers: #2 completed Some("200").');
  });

  test("a body that is held back, read whole and replaced", async () => {
    const plugin = await start(rust, "body_replace");
    for (const [parts, wanted] of [
      [["a sec", "ret"], "Original message body (8 bytes) redacted.\n"],
      [["pub", "lic"], "public"],
    ] as const) {
      const { context, stream } = open(plugin);
      context.onRequestHeaders(true);
      stream.respond([
        [":status", "200"],
        ["content-length", "8"],
      ]);
      context.onResponseHeaders(false);
      expect(stream.headers(2)?.value("content-length")).toBeNull();
      expect(context.onResponseBody(Buffer.from(parts[0]), false)).not.toBe(0);
      expect(context.onResponseBody(Buffer.from(parts[1]), true)).toBe(0);
      expect(context.takeResponseBody().toString()).toBe(wanted);
    }
  });

  test("a body that flows, with something before and behind each piece", async () => {
    const { context } = open(await start(rust, "body_upstream"));
    context.onRequestHeaders(false);
    context.onRequestBody(Buffer.from("ab"), false);
    expect(context.takeRequestBody().toString()).toBe("[ab]");
    context.onRequestBody(Buffer.from("c"), true);
    expect(context.takeRequestBody().toString()).toBe("[c].");
  });

  test("a call to another service decides: yes, no, no answer, no cluster", async () => {
    const plugin = await start(rust, "auth_call");
    const ask = (body: string | null) => {
      const { context, stream } = open(plugin, "/secret");
      expect(context.onRequestHeaders(true)).toBe(HeadersResult.StopAllAndWatermark);
      const call = host.services.calls.at(-1);
      expect(call?.request.headers).toContainEqual([":path", "/secret"]);
      expect(call?.request.body.toString()).toBe("question");
      call?.done(body === null ? null : { headers: [[":status", "200"]], body: Buffer.from(body), trailers: [] });
      return stream;
    };
    expect(ask("yes").events).toEqual(["continue request"]);
    expect(ask("no").replies[0]).toMatchObject({ status: 403, body: "200", headers: [["powered-by", "proxy-wasm"]] });
    expect(ask(null).replies[0]).toMatchObject({ status: 503, body: "no answer" });
    host.services.clusters.clear();
    const { context, stream } = open(plugin);
    context.onRequestHeaders(true);
    expect(stream.replies[0]).toMatchObject({ status: 500, body: "BadArgument" });
    expect(plugin.status().state).toBe("running");
  });

  test("ticks, and a queue that streams fill and the root empties", async () => {
    const plugin = await start(rust, "tick_queue", { vmId: "q" });
    host.services.clock.advance(250);
    expect(logs()).toEqual(["wasm log q: tick 1", "wasm log q: tick 2"]);
    for (const path of ["/a", "/b"]) open(plugin, path).context.onRequestHeaders(true);
    host.services.clock.advance(1);
    expect(logs().slice(2)).toEqual(["wasm log q: queue 1 brought /a", "wasm log q: queue 1 brought /b"]);
  });

  test("shared data with compare and swap, across VMs", async () => {
    const first = await start(rust, "shared_counter", { vmId: "v" });
    const second = await start(rust, "shared_counter", { vmId: "v", vmConfiguration: Buffer.from("other VM") });
    const counts = [first, second, first].map((plugin) => {
      const { context, stream } = open(plugin);
      context.onRequestHeaders(true);
      return `${stream.headers(0)?.value("x-requests")} ${stream.headers(0)?.value("x-stale")}`;
    });
    expect(counts).toEqual(["1 mismatch", "2 mismatch", "3 mismatch"]);
    expect(host.host.vms).toBe(2);
  });

  test("metrics of all kinds, with labels", async () => {
    const plugin = await start(rust, "metrics");
    const streams = [open(plugin), open(plugin)];
    for (const { context } of streams) context.onRequestHeaders(true);
    expect(streams[1]?.stream.headers(0)?.value("x-seen")).toBe("2");
    streams[0]?.context.onLog();
    const text = host.metrics.text();
    expect(text).toContain('plugin_requests_total{reporter="rust"} 2');
    expect(text).toContain("plugin_open 1");
    expect(text).toContain("plugin_sizes_sum 8");
  });

  test("a TCP filter changes one direction and collects the other", async () => {
    const plugin = await start(rust, "network");
    const context = plugin.openTcp(new FakeTcpStream());
    if (typeof context === "string") throw new Error(context);
    expect(context.onNewConnection()).toBe(FlowResult.Continue);
    context.onDownstreamData(Buffer.from("hello"), false);
    expect(context.takeDownstream().toString()).toBe("HELLO");
    expect(context.onUpstreamData(Buffer.from("half a li"), false)).toBe(FlowResult.Stop);
    expect(context.onUpstreamData(Buffer.from("ne\n"), false)).toBe(FlowResult.Continue);
    expect(context.takeUpstream().toString()).toBe("half a line\n");
    context.onDownstreamClose(true);
    expect(logs()).toEqual([
      "wasm log network: new connection",
      "wasm log network: closed by Remote after 5 bytes",
      "wasm log network: done",
    ]);
  });

  test("both configurations and the environment arrive; a configuration can be refused", async () => {
    const config = {
      configuration: Buffer.from("own"),
      vmConfiguration: Buffer.from("vm"),
      environment: new Map([["COLOUR", "green"]]),
    };
    const { context, stream } = open(await start(rust, "configuration", config));
    context.onRequestHeaders(true);
    stream.respond();
    context.onResponseHeaders(true);
    expect(stream.headers(2)?.value("x-configuration")).toBe("own/vm/green/none");
    const refused = await start(rust, "configuration", { configuration: Buffer.from("bad") });
    expect(refused.status()).toMatchObject({ state: "failed", lastFailure: { kind: "refused" } });
  });

  test("a local reply wins over the callback's Continue and passes the response's filters", async () => {
    const plugin = await start(rust, "local_reply");
    const { context, stream } = open(plugin);
    expect(context.onRequestHeaders(true)).toBe(HeadersResult.StopAllAndWatermark);
    expect(stream.replies).toEqual([
      {
        status: 401,
        body: '{"error":"no key"}',
        details: "",
        headers: [["content-type", "application/json"]],
        grpcStatus: null,
      },
    ]);
    stream.respond([[":status", "401"]]);
    expect(context.onResponseHeaders(true)).toBe(HeadersResult.Continue);
    expect(stream.headers(2)?.value("x-checked")).toBe("yes");
    expect(open(plugin, "/", [["x-key", "k"]]).context.onRequestHeaders(true)).toBe(HeadersResult.Continue);
  });

  test("a gRPC call that is answered, and one that fails", async () => {
    const plugin = await start(rust, "grpc_call");
    const ask = () => {
      const opened = open(plugin);
      expect(opened.context.onRequestHeaders(true)).toBe(HeadersResult.StopAllAndWatermark);
      return { ...opened, call: host.services.grpcStreams.at(-1) };
    };
    const good = ask();
    expect(good.call?.request).toMatchObject({
      service: "rates.v1.Rates",
      method: "Allow",
      metadata: [["x-from", "rust"]],
      timeout: 1000,
    });
    good.call?.events.onMessage(Buffer.from("allowed"));
    good.call?.events.onClose(0, "");
    expect(good.stream.headers(0)?.value("x-answer")).toBe("allowed");
    expect(good.stream.events.at(-1)).toBe("continue request");
    const bad = ask();
    bad.call?.events.onClose(8, "too many");
    expect(bad.stream.replies[0]).toMatchObject({ status: 429, body: "status 8" });
  });

  test("properties are read and left behind", async () => {
    const { context, stream } = open(await start(rust, "properties"));
    Object.assign(stream.attributes, {
      request: { path: "/p" },
      response: new Map([["code", 200n]]),
      metadata: { filter_metadata: { "envoy.lb": { version: "v2" } } },
    });
    context.onRequestHeaders(true);
    stream.respond();
    context.onResponseHeaders(true);
    expect(stream.headers(2)?.value("x-properties")).toBe("node-1 /p 200 v2 none");
    expect(stream.state.get("wasm.rust_was_here")?.value).toBe("node-1 /p 200 v2 none");
  });

  test.each([
    ["/panic", "trap"],
    ["/loop", "fuel"],
    ["/memory", "trap"],
  ])("%s: the stream fails, the next one gets a fresh VM", async (path, kind) => {
    const plugin = await start(rust, "panic", { failurePolicy: "reload", reloadInterval: 1 });
    const { context, stream } = open(plugin, path);
    expect(context.onRequestHeaders(true)).toBe(HeadersResult.StopAllAndWatermark);
    expect(stream.events).toEqual(["reply 503 wasm_fail_stream"]);
    expect(plugin.status().lastFailure).toMatchObject({ kind, callback: "proxy_on_request_headers" });
    if (path === "/panic") expect(logs(5).join()).toContain("panicked at 'as you wish'");
    expect(logs(4).join()).toContain("proxy_on_request_headers");
    host.services.clock.advance(10);
    expect(open(plugin).context.onRequestHeaders(true)).toBe(HeadersResult.Continue);
  });

  test("foreign functions", async () => {
    const { context, stream } = open(await start(rust, "foreign"));
    context.onRequestHeaders(true);
    expect(stream.headers(0)?.value("x-foreign")).toBe("23 2000 not found");
  });
});

const go = buildGo();

describe.skipIf("missing" in go)(titled("a plugin of Go's compiler", ["missing" in go && go.missing]), () => {
  test("Go's runtime starts, allocates, reads the environment and prints", async () => {
    const plugin = await start(go, "go", { environment: new Map([["PLACE", "the mesh"]]) });
    expect(plugin.status()).toMatchObject({ state: "running", lastFailure: null });
    const { context, stream } = open(plugin, "/some/path");
    expect(context.onRequestHeaders(true)).toBe(HeadersResult.Continue);
    expect(stream.headers(0)?.value("x-go")).toBe("4 /SOME/PATH");
    expect(logs()).toEqual(["wasm log: configured in the mesh", "wasm log go: seen /some/path"]);
  });

  test("garbage is collected: a hundred megabytes of strings don't need a tenth of that", async () => {
    const plugin = await start(go, "go");
    host.services.level = 6;
    for (let i = 0; i < 6000; i++) {
      const { context } = open(plugin, `/${"x".repeat(4000)}`);
      context.onRequestHeaders(true);
      context.onDestroy();
    }
    expect(plugin.status().state).toBe("running");
    expect(plugin.status().memory).toBeLessThan(10 * 1024 * 1024);
  });

  test("a panic is one message and a failure", async () => {
    const { context, stream } = open(await start(go, "go"), "/panic");
    context.onRequestHeaders(true);
    expect(stream.events).toEqual(["reply 503 wasm_fail_stream"]);
    expect(logs(4)[0]).toContain("panic: as you wish");
  });
});

const assemblyScript = buildAssemblyScript();

describe.skipIf("missing" in assemblyScript)(
  titled("a plugin of the old AssemblyScript SDK", ["missing" in assemblyScript && assemblyScript.missing]),
  () => {
    test("it finds its root by name, reads its configuration and adds a header", async () => {
      const config = { rootId: "add_header", configuration: Buffer.from("mesh") };
      const { context, stream } = open(await start(assemblyScript, "add_header", config));
      context.onRequestHeaders(true);
      stream.respond();
      context.onResponseHeaders(true);
      context.onLog();
      context.onDestroy();
      expect(stream.headers(2)?.value("hello")).toBe("mesh");
      expect(logs(2)).toEqual(["wasm log add_header add_header: added to 1 headers"]);
    });

    test("it traps on an empty configuration and on a root that it doesn't know, here as on Envoy", async () => {
      for (const config of [{ rootId: "add_header" }, { rootId: "other", configuration: Buffer.from("x") }]) {
        const plugin = await start(assemblyScript, "add_header", config);
        expect(plugin.status().state).toBe("failed");
      }
    });
  },
);
