import { describe, expect, it } from "vitest";
import { OUTCOME_LOG, routesTo, TestProxy } from "../../http/testing/test-proxy.ts";
import { forward, POST } from "./testing/forwarding-proxy.ts";

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

  it("of one attempt without progress count each piece of the response, also after it has begun", () => {
    const { test, cluster } = forward({ retryPolicy: { retryOn: "5xx", numRetries: 1, perTryIdleTimeout: "0.3s" } });
    const exchange = test.request();
    test.clock.advance(302);
    expect(cluster.attempts[0]?.resetReason).toBe("local");
    test.clock.advance(100);
    expect(cluster.attempts).toHaveLength(2);
    cluster.last.begin(200);
    for (let i = 0; i < 5; i++) {
      test.clock.advance(250);
      cluster.last.data("x");
    }
    expect(exchange.resetReason).toBeNull();
    test.clock.advance(302);
    expect([exchange.resetReason, cluster.last.resetReason]).toEqual(["local", "local"]);
    expect(test.log()).toEqual(["200 UT upstream_per_try_idle_timeout"]);
    const silent = forward({ retryPolicy: { retryOn: "gateway-error", numRetries: 0, perTryIdleTimeout: "0.3s" } });
    silent.test.request();
    silent.test.clock.advance(302);
    expect(silent.test.log()).toEqual(["504 UT,URX upstream_per_try_idle_timeout"]);
    expect(silent.test.clock.pending).toBe(1);
  });

  it("of a cluster's streams end each of them, UMSDR", () => {
    const limited = (endStream: boolean, begin = false) => {
      const { test, cluster } = forward();
      cluster.maxStreamDuration = 300;
      const exchange = test.request(POST, endStream);
      if (begin) cluster.last.begin(200).data("x");
      test.clock.advance(301);
      expect(cluster.last.resetReason).toBe("local");
      return [exchange.status, exchange.body, test.log()];
    };
    const body = "upstream max stream duration reached";
    const details = "upstream_max_stream_duration_reached";
    expect(limited(true)).toEqual([504, body, [`504 UMSDR ${details}`]]);
    expect(limited(false)).toEqual([408, body, [`408 UMSDR ${details}`]]);
    expect(limited(true, true)).toEqual([200, "x", [`200 UMSDR ${details}`]]);
  });

  it("count for nothing beside a stream duration, however it is", () => {
    const { test } = forward({ timeout: "0.1s", maxGrpcTimeout: "0.1s", maxStreamDuration: {} });
    const plain = test.request();
    const grpc = test.request({ ...POST, "content-type": "application/grpc" });
    test.clock.advance(60_000);
    expect([plain.status, grpc.status]).toEqual([null, null]);
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
    expect(limit("0s", "200m")).toEqual(["14", 200, "200m"]);
    expect(limit("0.1s", "2S")).toEqual(["14", 100, "100m"]);
    expect(limit("0.1s")).toEqual(["14", 100, "100m"]);
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
    expect(test.log()).toEqual(["408 - request_overall_timeout", "504 - max_duration_timeout"]);
  });
});
