import { describe, expect, it } from "vitest";
import { routesTo, TestProxy } from "../../http/testing/test-proxy.ts";
import { forward, POST } from "./testing/forwarding-proxy.ts";

const RETRY = "type.googleapis.com/envoy.extensions.retry";
const ELSEWHERE = {
  retryHostPredicate: [
    {
      name: "envoy.retry_host_predicates.previous_hosts",
      typedConfig: { "@type": `${RETRY}.host.previous_hosts.v3.PreviousHostsPredicate` },
    },
  ],
};

describe("retries", () => {
  const policy = (retryOn: string, more: object = {}) => ({ retryPolicy: { retryOn, numRetries: 2, ...more } });

  it("ask again where the connection failed, after a back-off, and say so upstream", () => {
    const { test, cluster } = forward(policy("connect-failure", ELSEWHERE), {
      host: { includeRequestAttemptCount: true },
    });
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

  it("may go to the same host again where no predicate says otherwise", () => {
    const { test, cluster } = forward(policy("5xx"));
    test.request();
    cluster.last.respond(503);
    test.clock.advance(500);
    expect(cluster.last.context).toMatchObject({ triedHosts: [], hostAttempts: 1 });
    const told = forward(policy("5xx", { ...ELSEWHERE, hostSelectionRetryMaxAttempts: "5" }));
    told.test.request();
    expect(told.cluster.last.context.hostAttempts).toBe(5);
  });

  it("leave out tried priorities after every so many attempts", () => {
    const typedConfig = { "@type": `${RETRY}.priority.previous_priorities.v3.PreviousPrioritiesConfig` };
    const retryPriority = {
      name: "envoy.retry_priorities.previous_priorities",
      typedConfig: { ...typedConfig, updateFrequency: 2 },
    };
    const { test, cluster } = forward(policy("5xx", { retryPriority }));
    test.request();
    const left: number[][] = [];
    for (let i = 0; i < 3; i++) {
      left.push([...cluster.last.context.triedPriorities]);
      cluster.last.respond(503);
      test.clock.advance(500);
    }
    expect(left).toEqual([[], [], [0]]);
  });

  it("and requests of routes of high priority use limits of their own", () => {
    const { test, cluster } = forward({ ...policy("5xx"), priority: "HIGH" });
    test.request();
    expect(cluster.last.context.highPriority).toBe(true);
    cluster.last.respond(503);
    expect(cluster.retriesOfHighPriority).toBe(1);
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

  it("follow a rate limiter's no where that is asked for, when it says to come back", () => {
    const limited = (format: string, value: number, maxInterval = "300s") => {
      const rateLimitedRetryBackOff = { resetHeaders: [{ name: "retry-after", format }], maxInterval };
      const { test, cluster } = forward(policy("envoy-ratelimited", { rateLimitedRetryBackOff }), { random: () => 0 });
      test.request();
      const now = test.clock.now() / 1000;
      const at = String(format === "SECONDS" ? value : Math.floor(now) + value);
      cluster.last.respond(429, { "x-envoy-ratelimited": "true", "retry-after": at });
      let waited = 0;
      while (cluster.attempts.length === 1 && waited < 10_000) {
        test.clock.advance(10);
        waited += 10;
      }
      return waited;
    };
    expect(limited("SECONDS", 2)).toBe(2000);
    expect(limited("UNIX_TIMESTAMP", 3)).toBe(3000);
    // What lies behind or too far ahead says nothing: the usual back-off.
    expect(limited("UNIX_TIMESTAMP", -3)).toBe(10);
    expect(limited("SECONDS", 2, "1s")).toBe(10);
  });

  it("may look for headers that the client names", () => {
    const route = { match: { prefix: "/" }, route: { cluster: "c" } };
    const test = new TestProxy({
      routeConfig: routesTo([route]),
      internalAddressConfig: { cidrRanges: [{ addressPrefix: "10.0.0.0", prefixLen: 8 }] },
    });
    const cluster = test.clusters.add("c");
    const ask = { "x-envoy-retry-on": "retriable-headers", "x-envoy-retriable-header-names": "X-Again, x-more" };
    test.request({ ...ask, "x-forwarded-for": "10.1.1.1" });
    expect(cluster.last.head?.["x-envoy-retriable-header-names"]).toBeUndefined();
    cluster.last.respond(200, { "x-again": "1" });
    test.clock.advance(500);
    expect(cluster.attempts).toHaveLength(2);
    cluster.last.respond(200);
    // Not from outside.
    test.request(ask);
    expect(cluster.last.head?.["x-envoy-retriable-header-names"]).toBeUndefined();
    cluster.last.respond(200, { "x-again": "1" });
    test.clock.advance(500);
    expect(cluster.attempts).toHaveLength(3);
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
