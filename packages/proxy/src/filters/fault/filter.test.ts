import { describe, expect, it } from "vitest";
import { OUTCOME_LOG, ROUTER, routesTo, TestProxy } from "../../http/testing/test-proxy.ts";

const TYPE = "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault";
const FILTER = { name: "envoy.filters.http.fault", typedConfig: { "@type": TYPE } };
const ALWAYS = { numerator: 100 };

/** A proxy whose route injects the fault, or whose whole chain does. */
function injecting(fault: object, onRoute = true, random: () => number = () => 0.5) {
  const own = onRoute ? { typedPerFilterConfig: { "envoy.filters.http.fault": { "@type": TYPE, ...fault } } } : {};
  const filter = onRoute ? FILTER : { ...FILTER, typedConfig: { "@type": TYPE, ...fault } };
  const test = new TestProxy(
    {
      routeConfig: routesTo([{ match: { prefix: "/" }, route: { cluster: "c" }, ...own }]),
      httpFilters: [filter, ROUTER],
      accessLog: [OUTCOME_LOG],
    },
    { random },
  );
  return { test, cluster: test.clusters.add("c") };
}

describe("the fault filter", () => {
  it("ends requests with the status that it is told, FI", () => {
    const { test, cluster } = injecting({ abort: { httpStatus: 555, percentage: ALWAYS } });
    const exchange = test.request();
    expect([exchange.status, exchange.body]).toEqual([555, "fault filter abort"]);
    expect(cluster.attempts).toHaveLength(0);
    expect(test.log()).toEqual(["555 FI fault_filter_abort"]);
  });

  it("delays requests, DI, and passes all of them on afterwards", () => {
    const { test, cluster } = injecting({ delay: { fixedDelay: "7s", percentage: ALWAYS } }, false);
    const exchange = test.request({ ":method": "POST" }, false).data("body", true);
    test.clock.advance(6999);
    expect([cluster.attempts.length, exchange.paused]).toEqual([0, 1]);
    test.clock.advance(1);
    expect([cluster.last.body, cluster.last.complete, exchange.paused]).toEqual(["body", true, 0]);
    cluster.last.respond(200);
    expect(test.log()).toEqual(["200 DI via_upstream"]);
  });

  it("delays, then ends: both flags", () => {
    const { test } = injecting({
      delay: { fixedDelay: "1s", percentage: ALWAYS },
      abort: { httpStatus: 503, percentage: ALWAYS },
    });
    test.request();
    test.clock.advance(1000);
    expect(test.log()).toEqual(["503 DI,FI fault_filter_abort"]);
  });

  it("forgets a delayed request whose client is gone", () => {
    const { test, cluster } = injecting({ delay: { fixedDelay: "1s", percentage: ALWAYS } });
    test.request().disconnect();
    test.clock.advance(2000);
    expect(cluster.attempts).toHaveLength(0);
    expect(test.log()).toEqual(["0 DI,DC downstream_remote_disconnect"]);
  });

  it("takes the configured share, none by default", () => {
    const abort = { abort: { httpStatus: 503, percentage: { numerator: 10 } } };
    expect(injecting(abort, true, () => 0.09).test.request().status).toBe(503);
    expect(injecting(abort, true, () => 0.1).test.request().status).toBeNull();
    expect(injecting({ abort: { httpStatus: 503 } }).test.request().status).toBeNull();
  });

  it("answers gRPC clients with the gRPC status, others with its HTTP form", () => {
    const { test } = injecting({ abort: { grpcStatus: 14, percentage: ALWAYS } });
    expect(test.request({ "content-type": "application/grpc" }).head).toMatchObject({
      ":status": "200",
      "grpc-status": "14",
    });
    expect(test.request().status).toBe(503);
  });

  it("looks at headers and at the cluster", () => {
    const jason = {
      headers: [{ name: "end-user", stringMatch: { exact: "jason" } }],
      abort: { httpStatus: 500, percentage: ALWAYS },
    };
    expect(injecting(jason).test.request().status).toBeNull();
    expect(injecting(jason).test.request({ "end-user": "jason" }).status).toBe(500);
    const other = { upstreamCluster: "other", abort: { httpStatus: 500, percentage: ALWAYS } };
    expect(injecting(other).test.request().status).toBeNull();
  });

  it("lets requests ask for their own fault where allowed", () => {
    const { test } = injecting({ abort: { headerAbort: {}, percentage: ALWAYS } });
    expect(test.request({ "x-envoy-fault-abort-request": "418" }).status).toBe(418);
    expect(test.request().status).toBeNull();
  });

  it("injects no more at once than it may", () => {
    const { test, cluster } = injecting({ delay: { fixedDelay: "1s", percentage: ALWAYS }, maxActiveFaults: 1 });
    test.request();
    test.request();
    expect(cluster.attempts).toHaveLength(1);
    test.clock.advance(1000);
    for (const attempt of cluster.attempts) attempt.respond(200);
    test.request();
    expect(cluster.attempts).toHaveLength(2);
  });
});
