import { describe, expect, it } from "vitest";
import { OUTCOME_LOG, ROUTER, routesTo, TestProxy } from "../../http/testing/test-proxy.ts";

const NAME = "envoy.filters.http.cors";
const FILTER = {
  name: NAME,
  typedConfig: { "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors" },
};

function allowing(policy: object) {
  const typed = { "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy", ...policy };
  const test = new TestProxy({
    routeConfig: routesTo([
      { match: { prefix: "/" }, route: { cluster: "c" }, typedPerFilterConfig: { [NAME]: typed } },
    ]),
    httpFilters: [FILTER, ROUTER],
    accessLog: [OUTCOME_LOG],
  });
  return { test, cluster: test.clusters.add("c") };
}

const POLICY = {
  allowOriginStringMatch: [{ suffix: ".example" }],
  allowMethods: "GET,POST",
  allowHeaders: "x-a",
  exposeHeaders: "x-b",
  maxAge: "60",
  allowCredentials: true,
};
const PREFLIGHT = { ":method": "OPTIONS", origin: "http://a.example", "access-control-request-method": "POST" };

describe("the CORS filter", () => {
  it("answers preflights of allowed origins", () => {
    const { test, cluster } = allowing(POLICY);
    const exchange = test.request(PREFLIGHT);
    expect(exchange.head).toMatchObject({
      ":status": "200",
      "access-control-allow-origin": "http://a.example",
      "access-control-allow-methods": "GET,POST",
      "access-control-allow-headers": "x-a",
      "access-control-allow-credentials": "true",
      "access-control-max-age": "60",
    });
    expect(cluster.attempts).toHaveLength(0);
    expect(test.log()).toEqual(["200 - cors_response"]);
  });

  it("marks responses to allowed origins, and leaves others alone", () => {
    const { test, cluster } = allowing(POLICY);
    const allowed = test.request({ origin: "http://a.example" });
    cluster.last.respond(200);
    expect(allowed.head).toMatchObject({
      "access-control-allow-origin": "http://a.example",
      "access-control-expose-headers": "x-b",
    });
    for (const fields of [{ origin: "http://evil.test" }, {}]) {
      const exchange = test.request(fields as Record<string, string>);
      cluster.last.respond(200);
      expect(exchange.head?.["access-control-allow-origin"]).toBeUndefined();
    }
  });

  it("forwards preflights of other origins, or answers them without consent", () => {
    const foreign = { ...PREFLIGHT, origin: "http://evil.test" };
    const forwarding = allowing(POLICY);
    forwarding.test.request(foreign);
    expect(forwarding.cluster.attempts).toHaveLength(1);
    const answering = allowing({ ...POLICY, forwardNotMatchingPreflights: false });
    const exchange = answering.test.request(foreign);
    expect([exchange.status, exchange.head?.["access-control-allow-origin"]]).toEqual([200, undefined]);
  });

  it("does nothing on routes without a policy", () => {
    const test = new TestProxy({
      routeConfig: routesTo([{ match: { prefix: "/" }, route: { cluster: "c" } }]),
      httpFilters: [FILTER, ROUTER],
    });
    const cluster = test.clusters.add("c");
    const exchange = test.request(PREFLIGHT);
    cluster.last.respond(204);
    expect([exchange.status, exchange.head?.["access-control-allow-origin"]]).toEqual([204, undefined]);
  });

  it("can be switched off by a route", () => {
    const off = { "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", disabled: true };
    const test = new TestProxy({
      routeConfig: routesTo([
        { match: { prefix: "/" }, route: { cluster: "c" }, typedPerFilterConfig: { [NAME]: off } },
      ]),
      httpFilters: [FILTER, ROUTER],
    });
    const cluster = test.clusters.add("c");
    test.request(PREFLIGHT);
    expect(cluster.attempts).toHaveLength(1);
  });
});
