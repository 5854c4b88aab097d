import { describe, expect, it } from "vitest";
import { decodeManager as decode, ROUTER, routesTo } from "../http/testing/test-proxy.ts";
import type { ExtensionFactory, RootHandle } from "./extension.ts";
import {
  extension,
  FILTER,
  header,
  property,
  proxy,
  REQUEST,
  RESPONSE,
  state,
  ticking,
} from "./testing/test-extension.ts";

describe("configuration", () => {
  it("is the content of the TypedStruct as JSON in UTF-8", () => {
    const seen: string[] = [];
    proxy(extension({}, { configure: (_host, text) => seen.push(text) > 0 }));
    expect(JSON.parse(Buffer.from(seen[0] ?? "", "latin1").toString("utf8"))).toEqual(FILTER.typedConfig.value);
  });

  it("finds the extension by the type of its configuration, or by the filter's name", () => {
    let made = 0;
    const factory = extension({}, { configure: () => ++made > 0 });
    proxy(factory, {}, "istio.stats");
    proxy(factory, {}, "stats.PluginConfig");
    expect(made).toBe(2);
  });

  it("that the extension refuses, or that makes it throw, is a fault", () => {
    const path = /httpFilters\[0\]\.typedConfig/;
    expect(() => proxy(extension({}, { configure: () => false }))).toThrow(path);
    const throwing = () => {
      throw new Error("no");
    };
    expect(() => proxy(extension({}, { configure: throwing }))).toThrow(path);
    expect(() => proxy(throwing as never)).toThrow(path);
  });

  it("sees the node and the listener, not a stream", () => {
    const seen: unknown[] = [];
    const configure = (host: RootHandle) => {
      seen.push(
        host.rootString(property("xds", "node", "id")),
        host.rootString(property("xds", "node", "metadata", "LABELS", "app")),
        host.rootString(property("node", "metadata", "NAME")),
        host.rootNumber(property("xds", "listener_direction"), -1),
        host.rootString(property("plugin_root_id")),
        host.rootString(property("request", "path")),
        host.now(),
      );
      return true;
    };
    const node = { id: "sidecar~1", metadata: { LABELS: { app: "reviews" }, NAME: "ö" } };
    const { test } = proxy(extension({}, { configure }), { node, listener: { direction: 1 } });
    expect(seen).toEqual([
      "sidecar~1",
      "reviews",
      Buffer.from("ö").toString("latin1"),
      1,
      "istio.stats",
      null,
      test.clock.now() * 1e6,
    ]);
  });
});

describe("headers", () => {
  it("are attached during their own callback, and can be changed then", () => {
    const seen: Record<string, unknown> = {};
    const { test, cluster } = proxy(
      extension({
        onRequestHeaders: (host) => {
          seen.request = [
            host.getHeader(REQUEST, header("x-in")),
            host.headerSize(REQUEST, header("none")),
            host.getHeader(RESPONSE, header(":status")),
          ];
          host.removeHeader(REQUEST, header("x-in"));
          host.replaceHeader(REQUEST, header("x-out"), { text: "up" });
        },
        onResponseHeaders: (host) => {
          seen.response = [host.getHeader(REQUEST, header("x-out")), host.headerSize(RESPONSE, header("x-back"))];
          host.replaceHeader(REQUEST, header("x-late"), { text: "no" });
          host.replaceHeader(RESPONSE, header("x-down"), { text: "1" });
        },
        onLog: (host) => {
          host.replaceHeader(RESPONSE, header("x-down"), { text: "changed" });
          seen.log = [
            host.getHeader(REQUEST, header("x-out")),
            host.getHeader(RESPONSE, header("x-down")),
            host.getHeader(9, header("x")),
          ];
        },
      }),
    );
    const exchange = test.request({ "x-in": "a" });
    expect([cluster.last.head?.["x-in"], cluster.last.head?.["x-out"]]).toEqual([undefined, "up"]);
    cluster.last.respond(200, { "x-back": "four" });
    expect(exchange.head?.["x-down"]).toBe("1");
    expect(seen).toEqual({ request: ["a", -1, null], response: [null, 4], log: ["up", "1", null] });
  });

  it("are not seen of responses to requests that never came here, which are only logged", () => {
    const calls: string[] = [];
    const note = (name: string) => () => void calls.push(name);
    const { test } = proxy(
      extension({
        onRequestHeaders: note("request"),
        onResponseHeaders: note("response"),
        onLog: note("log"),
        onDelete: note("delete"),
      }),
    );
    test.request({ ":path": "relative" });
    expect(calls).toEqual(["log", "delete"]);
  });
});

describe("an answer in place of the upstream", () => {
  it("is given once, with its headers and body, and the upstream is not asked", () => {
    const { test, cluster } = proxy(
      extension({
        onRequestHeaders: (host) => {
          host.sendLocalReply(401, "who are you?", ["X-Guard", "no token"]);
          host.sendLocalReply(500, "twice", []);
          return 1;
        },
      }),
    );
    const exchange = test.request({});
    expect(exchange.head).toMatchObject({ ":status": "401", "x-guard": "no token" });
    expect(exchange.body).toBe("who are you?");
    expect(cluster.attempts).toEqual([]);
  });
});

describe("filter state", () => {
  it("belongs to its first writer, and is an attribute too", () => {
    const seen: unknown[] = [];
    const { test } = proxy(
      extension({
        onRequestHeaders: (host) => {
          host.setState(state("wasm.role"), "\xff1");
          host.setState(state("wasm.role"), "2");
          seen.push(
            host.getState(state("wasm.role")),
            host.getString(property("filter_state", "wasm.role")),
            host.getString(property("role")),
            host.getState(state("none")),
          );
        },
      }),
    );
    test.request();
    expect(seen).toEqual(["\xff1", "\xff1", "\xff1", null]);
  });
});

describe("measuring", () => {
  it("adds to the proxy's own series", () => {
    let counter: { add(n: number): void } | null = null;
    const { test, cluster } = proxy(
      extension(
        {
          onLog: () => {
            counter?.add(1);
            return undefined;
          },
        },
        {
          configure: (host) => {
            counter = host.counter("istio_requests_total", ["reporter"], ["source"]);
            host.gauge("istio_build", ["tag"], ["1"]).set(1);
            host.histogram("istio_request_bytes", [], []).record(3);
            return true;
          },
        },
      ),
    );
    test.request();
    cluster.last.respond(200);
    expect(test.metrics.text()).toContain('istio_requests_total{reporter="source"} 1');
    expect(test.metrics.text()).toContain('istio_build{tag="1"} 1');
    expect(test.metrics.text()).toContain("istio_request_bytes_count 1");
  });

  it("survives names that cannot be used", () => {
    const { test } = proxy(
      extension(
        {},
        {
          configure: (host) => {
            host.counter("not a name", [], []).add(1);
            host.counter("envoy_http_downstream_rq_total", [], []).add(1);
            host.gauge("envoy_http_downstream_rq_total", [], []).set(1);
            return true;
          },
        },
      ),
    );
    expect(test.hostLog).toHaveLength(2);
  });
});

describe("an extension that throws", () => {
  it("loses its stream, not the request, and is counted", () => {
    const calls: string[] = [];
    const { test, cluster } = proxy(
      extension({
        onRequestHeaders: () => {
          throw new Error("boom");
        },
        onResponseHeaders: () => void calls.push("response"),
        onLog: () => void calls.push("log"),
      }),
    );
    for (let i = 0; i < 3; i++) {
      const exchange = test.request();
      cluster.last.respond(200);
      expect(exchange.complete).toBe(true);
    }
    expect(calls).toEqual([]);
    expect(test.metrics.text()).toContain('mixerless_extension_errors_total{extension="istio.stats"} 3');
    expect(test.hostLog).toHaveLength(1);
    expect(test.hostLog[0]).toContain("boom");
  });

  it("when its stream is made, in its ticks or in its log, is no different", () => {
    const boom = () => {
      throw new Error("boom");
    };
    const making: ExtensionFactory = () => ({ onConfigure: () => true, onTick: boom, createStream: boom });
    const one = proxy(making);
    one.test.request();
    one.cluster.last.respond(200);
    const two = proxy(extension({ onLog: boom }, { configure: ticking, tick: boom }));
    two.test.request();
    two.cluster.last.respond(200);
    two.test.clock.advance(2000);
    expect(one.test.metrics.text()).toContain('mixerless_extension_errors_total{extension="istio.stats"} 1');
    expect(two.test.metrics.text()).toContain('mixerless_extension_errors_total{extension="istio.stats"} 3');
  });
});

describe("ticks and reconfiguration", () => {
  it("tick at the period that was asked for, until told to stop", () => {
    let ticks = 0;
    let host: RootHandle | null = null;
    const { test } = proxy(
      extension(
        {},
        {
          configure: (root) => {
            host = root;
            return ticking(root);
          },
          tick: () => ticks++,
        },
      ),
    );
    test.clock.advance(3500);
    expect(ticks).toBe(3);
    (host as RootHandle | null)?.setTickPeriod(0);
    test.clock.advance(3000);
    expect(ticks).toBe(3);
  });

  it("give new streams the new instance, while old ones finish on the old, which ticks until then", () => {
    const log: string[] = [];
    let made = 0;
    const factory: ExtensionFactory = (root) => {
      const name = `#${++made}`;
      return extension(
        { onLog: () => void log.push(name) },
        { configure: () => ticking(root), tick: () => void log.push(`tick ${name}`) },
      )(root);
    };
    const { test, cluster } = proxy(factory);
    const old = test.request();
    const config = {
      statPrefix: "test",
      routeConfig: routesTo([{ match: { prefix: "/" }, route: { cluster: "c" } }]),
      httpFilters: [FILTER, ROUTER],
    };
    expect(test.factory.update(decode(config))).toEqual([]);
    test.request();
    cluster.last.respond(200);
    test.clock.advance(1000);
    expect(log).toEqual(["#2", "tick #1", "tick #2"]);
    log.length = 0;
    cluster.attempts[0]?.respond(200);
    expect(old.status).toBe(200);
    test.clock.advance(1000);
    expect(log).toEqual(["#1", "tick #2"]);
    test.factory.close();
    test.clock.advance(1000);
    expect(log).toEqual(["#1", "tick #2"]);
  });

  it("tell an instance once that its last stream has ended and none will come", () => {
    const closed: string[] = [];
    let made = 0;
    const factory: ExtensionFactory = (root) => {
      const name = `#${++made}`;
      return extension({}, { close: () => void closed.push(name) })(root);
    };
    const { test, cluster } = proxy(factory);
    test.request();
    const config = {
      statPrefix: "test",
      routeConfig: routesTo([{ match: { prefix: "/" }, route: { cluster: "c" } }]),
      httpFilters: [FILTER, ROUTER],
    };
    test.factory.update(decode(config));
    expect(closed).toEqual([]);
    cluster.last.respond(200);
    expect(closed).toEqual(["#1"]);
    test.factory.close();
    expect(closed).toEqual(["#1", "#2"]);
  });
});
