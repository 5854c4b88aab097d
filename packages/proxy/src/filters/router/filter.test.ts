import { describe, expect, it } from "vitest";
import { headersOf } from "../../http/testing/fake-server-codec.ts";
import { OUTCOME_LOG, routesTo, TestProxy, textLog } from "../../http/testing/test-proxy.ts";

/** A proxy whose only route leads to cluster `c`. */
function forward(action: object = {}, options: { host?: object; log?: object; random?: () => number } = {}) {
  const route = { match: { prefix: "/" }, route: { cluster: "c", timeout: "0s", ...action } };
  const test = new TestProxy(
    { routeConfig: routesTo([route], options.host), accessLog: [options.log ?? OUTCOME_LOG], streamIdleTimeout: "0s" },
    options.random === undefined ? {} : { random: options.random },
  );
  return { test, cluster: test.clusters.add("c") };
}

const POST = { ":method": "POST" };

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

describe("retries", () => {
  const policy = (retryOn: string, more: object = {}) => ({ retryPolicy: { retryOn, numRetries: 2, ...more } });

  it("ask again where the connection failed, after a back-off, and say so upstream", () => {
    const { test, cluster } = forward(policy("connect-failure"), { host: { includeRequestAttemptCount: true } });
    cluster.mode = "connect-failure";
    const exchange = test.request(POST, false).data("body", true);
    expect([cluster.attempts.length, exchange.status]).toEqual([1, null]);
    cluster.mode = "ready";
    test.clock.advance(12);
    expect(cluster.attempts).toHaveLength(1);
    test.clock.advance(1);
    expect(cluster.attempts).toHaveLength(2);
    expect(cluster.last.head?.["x-envoy-attempt-count"]).toBe("2");
    expect(cluster.last.body).toBe("body");
    expect(cluster.last.context.triedHosts.map((host) => host.address.text)).toEqual(["10.1.0.5:9080"]);
    cluster.last.respond(200);
    expect(test.log()).toEqual(["200 - via_upstream"]);
    expect(cluster.retriesOpen).toBe(0);
  });

  it("end with URX where the number is used up", () => {
    const { test, cluster } = forward(policy("5xx"));
    const exchange = test.request();
    for (let i = 0; i < 3; i++) {
      cluster.last.respond(503);
      test.clock.advance(500);
    }
    expect([cluster.attempts.length, exchange.status]).toEqual([3, 503]);
    expect(test.log()).toEqual(["503 URX via_upstream"]);
    expect(cluster.outcomes).toEqual([
      [503, false],
      [503, false],
      [503, false],
    ]);
  });

  it("say so in the reply where nothing was received at last", () => {
    const { test, cluster } = forward(policy("connect-failure"));
    cluster.mode = "connect-failure";
    const exchange = test.request();
    test.clock.advance(1000);
    expect(exchange.body).toContain("retried and the latest reset reason: remote connection failure");
    expect(test.log()).toEqual(["503 UF,URX upstream_reset_before_response_started{remote_connection_failure}"]);
  });

  it("are refused by the cluster's limit", () => {
    const { test, cluster } = forward(policy("5xx"));
    cluster.retriesAllowed = 0;
    test.request();
    cluster.last.respond(503);
    expect(test.log()).toEqual(["503 UO via_upstream"]);
  });

  it.each([
    ["5xx", 500, true],
    ["5xx", 404, false],
    ["gateway-error", 502, true],
    ["gateway-error", 504, true],
    ["gateway-error", 500, false],
    ["retriable-4xx", 409, true],
    ["retriable-4xx", 404, false],
    ["retriable-status-codes", 418, true],
    ["retriable-status-codes", 503, false],
    ["connect-failure,refused-stream,unavailable,cancelled", 503, false],
    ["some,fake,5xx", 503, true],
    ["", 503, false],
  ])("%s on status %i: %s", (retryOn, status, retried) => {
    const { test, cluster } = forward(policy(retryOn, { retriableStatusCodes: [418] }));
    test.request();
    cluster.last.respond(status);
    test.clock.advance(500);
    expect(cluster.attempts).toHaveLength(retried ? 2 : 1);
  });

  it.each([
    ["unavailable", "14", true],
    ["cancelled", "1", true],
    ["deadline-exceeded", "14", false],
    ["internal,resource-exhausted", "8", true],
  ])("%s on gRPC status %s in the headers: %s", (retryOn, status, retried) => {
    const { test, cluster } = forward(policy(retryOn));
    test.request({ ...POST, "content-type": "application/grpc" });
    cluster.last.respond(200, { "grpc-status": status });
    test.clock.advance(500);
    expect(cluster.attempts).toHaveLength(retried ? 2 : 1);
  });

  it.each([
    ["reset", "connection-termination", true],
    ["reset-before-request", "connection-termination", false],
    ["connect-failure", "connection-termination", false],
    ["connect-failure", "connection-failure", true],
    ["5xx", "remote", true],
  ] as const)("%s on an upstream that ends by %s: %s", (retryOn, reason, retried) => {
    const { test, cluster } = forward(policy(retryOn));
    test.request();
    cluster.last.decoder.onReset(reason);
    test.clock.advance(500);
    expect(cluster.attempts).toHaveLength(retried ? 2 : 1);
  });

  it("reset-before-request is one where nothing had left yet", () => {
    const { test, cluster } = forward(policy("reset-before-request"));
    cluster.mode = "connect-failure";
    test.request();
    test.clock.advance(25);
    expect(cluster.attempts).toHaveLength(2);
  });

  it("never follow a limit that was reached, or a rate limiter's no", () => {
    const { test, cluster } = forward(policy("5xx"));
    cluster.mode = "overflow";
    test.request();
    cluster.mode = "ready";
    test.request();
    cluster.last.respond(503, { "x-envoy-ratelimited": "true" });
    expect(test.log().map((line) => line.slice(0, 6))).toEqual(["503 UO", "503 - "]);
  });

  it("stop once the response has begun", () => {
    const { test, cluster } = forward(policy("5xx,reset"));
    const exchange = test.request();
    cluster.last.begin(200).decoder.onReset("connection-termination");
    test.clock.advance(500);
    expect([cluster.attempts.length, exchange.resetReason]).toEqual([1, "local"]);
  });

  it("are given up for a body that is longer than what may be kept", () => {
    const { test, cluster } = forward(policy("5xx"), { host: { perRequestBufferLimitBytes: 4 } });
    test.request(POST, false).data("abc").data("de", true);
    cluster.last.respond(503);
    test.clock.advance(500);
    expect([cluster.attempts.length, cluster.last.body]).toEqual([1, "abcde"]);
    expect(test.log()).toEqual(["503 - via_upstream"]);
  });

  it("wait for the rest of a body that outgrows the limit during the back-off", () => {
    const { test, cluster } = forward(policy("connect-failure"), { host: { perRequestBufferLimitBytes: 4 } });
    cluster.mode = "connect-failure";
    const exchange = test.request(POST, false).data("abc").data("def");
    cluster.mode = "ready";
    expect(exchange.paused).toBe(1);
    test.clock.advance(500);
    expect([cluster.last.body, exchange.paused]).toEqual(["abcdef", 0]);
    exchange.data("g", true);
    expect([cluster.last.body, cluster.last.complete]).toEqual(["abcdefg", true]);
  });

  it("leave the attempt before when it has not ended, and stop when the client goes", () => {
    const { test, cluster } = forward(policy("5xx"));
    const exchange = test.request();
    cluster.last.begin(503);
    expect(cluster.last.resetReason).toBe("local");
    exchange.disconnect();
    test.clock.advance(500);
    expect([cluster.attempts.length, cluster.retriesOpen]).toEqual([1, 0]);
    expect(test.log()).toEqual(["0 DC downstream_remote_disconnect"]);
  });

  it("grow their back-off to its limit", () => {
    const { test, cluster } = forward(
      policy("5xx", { numRetries: 10, retryBackOff: { baseInterval: "0.01s", maxInterval: "0.05s" } }),
      { random: () => 0.999 },
    );
    test.request();
    const waits: number[] = [];
    for (let i = 0; i < 4; i++) {
      const before = cluster.attempts.length;
      cluster.last.respond(503);
      const start = test.clock.monotonic();
      while (cluster.attempts.length === before) test.clock.advance(1);
      waits.push(test.clock.monotonic() - start);
    }
    expect(waits).toEqual([10, 30, 50, 50]);
  });

  it("may be asked for by headers from inside the mesh only", () => {
    const route = { match: { prefix: "/" }, route: { cluster: "c" } };
    const test = new TestProxy({
      routeConfig: routesTo([route]),
      internalAddressConfig: { cidrRanges: [{ addressPrefix: "10.0.0.0", prefixLen: 8 }] },
    });
    const cluster = test.clusters.add("c");
    const ask = { "x-envoy-retry-on": "5xx", "x-envoy-max-retries": "3" };
    test.request({ ...ask, "x-forwarded-for": "10.1.1.1" });
    expect(cluster.last.head?.["x-envoy-retry-on"]).toBeUndefined();
    cluster.last.respond(503);
    test.clock.advance(500);
    expect(cluster.attempts).toHaveLength(2);
    test.request(ask);
    cluster.last.respond(503);
    test.clock.advance(500);
    expect(cluster.attempts).toHaveLength(3);
  });
});

describe("timeouts", () => {
  it("504 UT where the response takes too long", () => {
    const { test, cluster } = forward({ timeout: "0.5s" });
    const exchange = test.request();
    expect(cluster.last.head?.["x-envoy-expected-rq-timeout-ms"]).toBe("500");
    test.clock.advance(499);
    expect(exchange.status).toBeNull();
    test.clock.advance(5);
    expect([exchange.status, exchange.body]).toEqual([504, "upstream request timeout"]);
    expect(cluster.last.resetReason).toBe("local");
    expect(cluster.outcomes).toEqual([[0, true]]);
    expect(test.log()).toEqual(["504 UT response_timeout"]);
  });

  it("count from the end of the request to the end of the response", () => {
    const { test, cluster } = forward({ timeout: "0.5s" });
    const exchange = test.request(POST, false);
    test.clock.advance(2000);
    exchange.data("x", true);
    cluster.last.begin(200).data("half");
    test.clock.advance(510);
    expect(exchange.resetReason).toBe("local");
    expect(test.log()).toEqual(["200 UT response_timeout"]);
  });

  it("are 15 s by default", () => {
    const test = new TestProxy({ routeConfig: routesTo([{ match: { prefix: "/" }, route: { cluster: "c" } }]) });
    test.clusters.add("c");
    const exchange = test.request();
    test.clock.advance(14_990);
    expect(exchange.status).toBeNull();
    test.clock.advance(20);
    expect(exchange.status).toBe(504);
  });

  it("leave no timer behind", () => {
    const { test, cluster } = forward({ timeout: "0.5s" });
    const before = test.clock.pending;
    test.request();
    cluster.last.respond(200);
    test.clock.advance(600);
    expect(test.clock.pending).toBe(before);
  });

  it("of one attempt lead to the next, and to 504 at last", () => {
    const { test, cluster } = forward({
      timeout: "5s",
      retryPolicy: { retryOn: "5xx", numRetries: 1, perTryTimeout: "0.3s" },
    });
    test.request();
    expect(cluster.last.head?.["x-envoy-expected-rq-timeout-ms"]).toBe("300");
    test.clock.advance(302);
    expect(cluster.attempts[0]?.resetReason).toBe("local");
    test.clock.advance(500);
    expect(cluster.attempts).toHaveLength(2);
    expect(test.log()).toEqual(["504 UT,URX upstream_per_try_timeout"]);
  });

  it("follow grpc-timeout where the route allows, capped by it", () => {
    const limit = (maxGrpcTimeout: string, grpcTimeout?: string) => {
      const { test, cluster } = forward({ maxGrpcTimeout });
      const fields = {
        ...POST,
        "content-type": "application/grpc",
        ...(grpcTimeout === undefined ? {} : { "grpc-timeout": grpcTimeout }),
      };
      const exchange = test.request(fields);
      let at = 0;
      while (!exchange.complete && at < 1000) {
        test.clock.advance(1);
        at++;
      }
      return [
        exchange.complete ? exchange.head?.["grpc-status"] : null,
        Math.floor(at / 10) * 10,
        cluster.last.head?.["grpc-timeout"],
      ];
    };
    expect(limit("0s", "200m")).toEqual(["4", 200, "200m"]);
    expect(limit("0.1s", "2S")).toEqual(["4", 100, "100m"]);
    expect(limit("0.1s")).toEqual(["4", 100, "100m"]);
    expect(limit("0s")).toEqual([null, 1000, undefined]);
  });

  it("of the stream answer 408 to a client that sends too slowly, 504 for an upstream", () => {
    const manager = {
      routeConfig: routesTo([{ match: { prefix: "/" }, route: { cluster: "c", timeout: "0s" } }]),
      accessLog: [OUTCOME_LOG],
      streamIdleTimeout: "1s",
    };
    const test = new TestProxy(manager);
    test.clusters.add("c");
    const slow = test.request(POST, false);
    test.clock.advance(900);
    slow.data("x");
    test.clock.advance(900);
    expect(slow.status).toBeNull();
    test.clock.advance(200);
    expect([slow.status, slow.body]).toEqual([408, "stream timeout"]);
    test.request();
    test.clock.advance(1010);
    expect(test.log()).toEqual(["408 SI stream_idle_timeout", "504 SI stream_idle_timeout"]);
  });

  it("of a route take the place of the manager's", () => {
    const manager = {
      routeConfig: routesTo([{ match: { prefix: "/" }, route: { cluster: "c", timeout: "0s", idleTimeout: "3s" } }]),
      streamIdleTimeout: "1s",
    };
    const test = new TestProxy(manager);
    test.clusters.add("c");
    const exchange = test.request();
    test.clock.advance(2900);
    expect(exchange.status).toBeNull();
    test.clock.advance(200);
    expect(exchange.status).toBe(504);
  });

  it("of the whole request and of the whole stream", () => {
    const manager = {
      routeConfig: routesTo([
        {
          match: { prefix: "/" },
          route: { cluster: "c", timeout: "0s", maxStreamDuration: { maxStreamDuration: "0.3s" } },
        },
      ]),
      accessLog: [OUTCOME_LOG],
      requestTimeout: "0.1s",
    };
    const test = new TestProxy(manager);
    test.clusters.add("c");
    test.request(POST, false);
    test.clock.advance(110);
    test.request();
    test.clock.advance(310);
    expect(test.log()).toEqual(["408 - request_overall_timeout", "504 DT max_duration_timeout"]);
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
