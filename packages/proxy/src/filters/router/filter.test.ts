import { describe, expect, it } from "vitest";
import { headersOf } from "../../http/testing/fake-server-codec.ts";
import { OUTCOME_LOG, routesTo, TestProxy, textLog } from "../../http/testing/test-proxy.ts";
import { forward, POST } from "./testing/forwarding-proxy.ts";

describe("forwarding", () => {
  it("brings the request to the host and the response back", () => {
    const { test, cluster } = forward();
    const exchange = test.request({ ...POST, "content-length": "5" }, false);
    exchange.data("hel").data("lo", true);
    expect(cluster.last.head).toMatchObject({
      ":method": "POST",
      ":path": "/",
      ":authority": "reviews",
      "content-length": "5",
    });
    expect([cluster.last.body, cluster.last.complete]).toEqual(["hello", true]);
    cluster.last.begin(201, { "x-a": "b" }).data("wor").data("ld", true);
    expect(exchange.head).toMatchObject({ ":status": "201", "x-a": "b" });
    expect([exchange.body, exchange.complete]).toEqual(["world", true]);
    expect(test.log()).toEqual(["201 - via_upstream"]);
    expect(cluster.outcomes).toEqual([[201, false]]);
    expect(cluster.last.resetReason).toBeNull();
  });

  it("ends a request without body with its headers", () => {
    const { test, cluster } = forward();
    test.request();
    expect(cluster.last.complete).toBe(true);
  });

  it("keeps what arrives before there is a connection", () => {
    const { test, cluster } = forward();
    cluster.mode = "wait";
    const exchange = test.request(POST, false).data("abc").data("def", true);
    cluster.last.ready();
    expect([cluster.last.body, cluster.last.complete]).toEqual(["abcdef", true]);
    expect(exchange.paused).toBe(0);
  });

  it("stops the client when more arrives than may be kept", () => {
    const { test, cluster } = forward({}, { host: { perRequestBufferLimitBytes: 4 } });
    cluster.mode = "wait";
    const exchange = test.request(POST, false).data("abc").data("def");
    expect(exchange.paused).toBe(1);
    exchange.data("g");
    expect(exchange.paused).toBe(1);
    cluster.last.ready();
    expect([cluster.last.body, exchange.paused]).toEqual(["abcdefg", 0]);
  });

  it("passes trailers both ways", () => {
    const { test, cluster } = forward();
    const exchange = test.request(POST, false).data("x");
    exchange.decoder?.onTrailers(headersOf({ "x-sum": "1" }));
    expect([cluster.last.trailers, cluster.last.complete]).toEqual([{ "x-sum": "1" }, true]);
    cluster.last
      .begin(200)
      .data("y")
      .decoder.onTrailers(headersOf({ "grpc-status": "0" }));
    expect([exchange.trailers, exchange.complete]).toEqual([{ "grpc-status": "0" }, true]);
  });

  it("keeps trailers too until there is a connection", () => {
    const { test, cluster } = forward();
    cluster.mode = "wait";
    test
      .request(POST, false)
      .data("x")
      .decoder?.onTrailers(headersOf({ "x-sum": "1" }));
    cluster.last.ready();
    expect([cluster.last.body, cluster.last.trailers]).toEqual(["x", { "x-sum": "1" }]);
  });

  it("passes 100 Continue on only when configured, and answers it itself otherwise", () => {
    const { test, cluster } = forward();
    const exchange = test.request({ ...POST, expect: "100-continue" }, false);
    expect(exchange.informational).toEqual(["100"]);
    expect(cluster.last.head?.expect).toBeUndefined();
    const passing = new TestProxy({
      proxy100Continue: true,
      routeConfig: routesTo([{ match: { prefix: "/" }, route: { cluster: "c" } }]),
    });
    const other = passing.clusters.add("c");
    const second = passing.request({ ...POST, expect: "100-continue" }, false);
    expect(second.informational).toEqual([]);
    other.last.decoder.onInformational(headersOf({ ":status": "100" }));
    expect(second.informational).toEqual(["100"]);
  });

  it("stops the client while the upstream is slow, and the upstream while the client is", () => {
    const { test, cluster } = forward();
    const exchange = test.request(POST, false);
    cluster.last.congested = true;
    exchange.data("a").data("b");
    expect(exchange.paused).toBe(1);
    cluster.last.congested = false;
    cluster.last.decoder.onDrain();
    expect(exchange.paused).toBe(0);
    exchange.data("c", true);
    cluster.last.begin(200);
    exchange.congested = true;
    cluster.last.data("x").data("y");
    expect(cluster.last.paused).toBe(1);
    exchange.drain();
    expect(cluster.last.paused).toBe(0);
    cluster.last.data("z", true);
    expect([cluster.last.body, exchange.body]).toEqual(["abc", "xyz"]);
  });

  it("gives the upstream up when it answers before the request is complete", () => {
    const { test, cluster } = forward();
    const exchange = test.request(POST, false).data("part");
    cluster.last.respond(413);
    expect([exchange.status, exchange.complete, exchange.closing]).toEqual([413, true, true]);
    expect(cluster.last.resetReason).toBe("local");
    expect(exchange.head?.["x-envoy-upstream-service-time"]).toBeUndefined();
    exchange.data("rest", true);
    expect(test.log()).toEqual(["413 - via_upstream"]);
  });

  it("measures the time that the upstream took", () => {
    const { test, cluster } = forward();
    const exchange = test.request();
    test.clock.advance(42);
    cluster.last.respond(200);
    expect(exchange.head?.["x-envoy-upstream-service-time"]).toBe("42");
  });

  it("carries upgrades as two open streams", () => {
    const route = { match: { prefix: "/" }, route: { cluster: "c", timeout: "0s" } };
    const test = new TestProxy({
      routeConfig: routesTo([route]),
      accessLog: [OUTCOME_LOG],
      upgradeConfigs: [{ upgradeType: "websocket" }],
    });
    const cluster = test.clusters.add("c");
    const exchange = test.request({ upgrade: "WebSocket", connection: "upgrade" }, false);
    cluster.last.begin(101, { upgrade: "websocket", connection: "upgrade" });
    expect([exchange.status, exchange.closing]).toEqual([101, false]);
    exchange.data("ping");
    cluster.last.data("pong");
    expect([cluster.last.body, exchange.body]).toEqual(["ping", "pong"]);
    cluster.last.data("", true);
    expect(exchange.complete).toBe(true);
    expect(test.log()).toEqual(["101 - via_upstream"]);
  });

  it("tells the facts of the upstream", () => {
    const format =
      "%UPSTREAM_HOST% %UPSTREAM_LOCAL_ADDRESS% %UPSTREAM_CLUSTER_RAW% %ROUTE_NAME% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESPONSE_DURATION% %UPSTREAM_REQUEST_ATTEMPT_COUNT%";
    const test = new TestProxy({
      routeConfig: routesTo([{ name: "default", match: { prefix: "/" }, route: { cluster: "c" } }]),
      accessLog: [textLog(format)],
    });
    const cluster = test.clusters.add("c");
    test.request(POST, false).data("12345", true);
    test.clock.advance(7);
    cluster.last.begin(200);
    test.clock.advance(3);
    cluster.last.data("123", true);
    expect(test.log()).toEqual(["10.1.0.5:9080 127.0.10.1:50000 c default 5 3 10 7 1"]);
  });
});

describe("what else a route says", () => {
  it("hash policies tell the balancer where to go", () => {
    const { test, cluster } = forward({ hashPolicy: [{ header: { headerName: "x-user" } }] });
    test.request({ "x-user": "a" });
    test.request({ "x-user": "b" });
    test.request({ "x-user": "a" });
    test.request();
    const [a, b, again, none] = cluster.attempts.map((attempt) => attempt.context.hash);
    expect(a).toBe(again);
    expect(a).not.toBe(b);
    expect(none).toBeNull();
  });

  it("a hash cookie is made for clients that bring none", () => {
    const { test, cluster } = forward({ hashPolicy: [{ cookie: { name: "stick", ttl: "60s", path: "/" } }] });
    const exchange = test.request();
    cluster.last.respond(200);
    const cookie = exchange.head?.["set-cookie"] ?? "";
    expect(cookie).toMatch(/^stick="[0-9a-f]{16}"; Max-Age=60; Path=\/; HttpOnly$/);
    const second = test.request({ cookie: `a=b; ${cookie.split(";")[0]}` });
    expect(cluster.last.context.hash).toBe(cluster.attempts[0]?.context.hash);
    cluster.last.respond(200);
    expect(second.head?.["set-cookie"]).toBeUndefined();
  });

  it("mirrors get a copy whose fate nobody notices", () => {
    const { test, cluster } = forward({ requestMirrorPolicies: [{ cluster: "shadow" }, { cluster: "missing" }] });
    const shadow = test.clusters.add("shadow");
    const exchange = test.request({ ...POST, ":authority": "reviews:9080" }, false).data("body", true);
    expect(shadow.last.head).toMatchObject({ ":authority": "reviews-shadow:9080", ":method": "POST" });
    expect([shadow.last.body, shadow.last.complete]).toEqual(["body", true]);
    expect(cluster.last.head?.[":authority"]).toBe("reviews:9080");
    shadow.last.decoder.onReset("connection-termination");
    cluster.last.respond(200);
    expect([exchange.status, exchange.complete]).toEqual([200, true]);
  });

  it("mirrors take the configured share", () => {
    const share = { defaultValue: { numerator: 505_000, denominator: "MILLION" } };
    const policies = { requestMirrorPolicies: [{ cluster: "shadow", runtimeFraction: share }] };
    for (const [random, copies] of [
      [0.504, 1],
      [0.506, 0],
    ] as const) {
      const { test } = forward(policies, { random: () => random });
      const shadow = test.clusters.add("shadow");
      test.request();
      expect(shadow.attempts).toHaveLength(copies);
    }
  });

  it("the number of attempts comes back when asked", () => {
    const { test, cluster } = forward({}, { host: { includeAttemptCountInResponse: true } });
    const exchange = test.request();
    cluster.last.respond(200);
    expect(exchange.head?.["x-envoy-attempt-count"]).toBe("1");
  });

  it("its metadata and name are facts of the stream also when nobody answers", () => {
    const test = new TestProxy({
      routeConfig: routesTo([
        {
          name: "allow_any",
          metadata: { filterMetadata: { istio: { config: "/vs" } } },
          match: { prefix: "/" },
          route: { cluster: "PassthroughCluster" },
        },
      ]),
      accessLog: [textLog("%ROUTE_NAME% %METADATA(ROUTE:istio:config)% %UPSTREAM_CLUSTER%")],
    });
    test.request();
    expect(test.log()).toEqual(["allow_any /vs -"]);
  });
});
