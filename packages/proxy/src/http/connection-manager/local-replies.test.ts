import { describe, expect, it } from "vitest";
import { OUTCOME_LOG, routesTo, TestProxy } from "../testing/test-proxy.ts";

const TO_C = [{ match: { prefix: "/" }, route: { cluster: "c", timeout: "0s" } }];

function proxy(routes: readonly unknown[] = TO_C, manager: object = {}) {
  return new TestProxy({ routeConfig: routesTo(routes), accessLog: [OUTCOME_LOG], ...manager });
}

describe("replies that the proxy makes itself", () => {
  it("404 NR where no route fits", () => {
    const test = proxy([{ match: { prefix: "/api" }, route: { cluster: "c" } }]);
    const exchange = test.request();
    expect(exchange.status).toBe(404);
    expect(exchange.complete).toBe(true);
    expect(test.log()).toEqual(["404 NR route_not_found"]);
  });

  it("404 NR while the route configuration has not arrived, and serves once it has", () => {
    const test = new TestProxy({ rds: { routeConfigName: "80", configSource: { ads: {} } }, accessLog: [OUTCOME_LOG] });
    expect(test.factory.routeConfigName).toBe("80");
    expect(test.request().status).toBe(404);
    expect(test.log()).toEqual(["404 NR route_not_found"]);
  });

  it("503 NC where the cluster is not known, or as the route says", () => {
    const test = proxy();
    expect(test.request().status).toBe(503);
    expect(test.log()).toEqual(["503 NC cluster_not_found"]);
    const other = proxy([
      { match: { prefix: "/" }, route: { cluster: "c", clusterNotFoundResponseCode: "INTERNAL_SERVER_ERROR" } },
    ]);
    expect(other.request().status).toBe(500);
  });

  it("503 UH where no host is healthy", () => {
    const test = proxy();
    test.clusters.add("c").mode = "no-healthy-upstream";
    const exchange = test.request();
    expect([exchange.status, exchange.body]).toEqual([503, "no healthy upstream"]);
    expect(test.log()).toEqual(["503 UH no_healthy_upstream"]);
  });

  it("503 UF where no connection comes about, with the reason", () => {
    const test = proxy();
    const cluster = test.clusters.add("c");
    cluster.mode = "wait";
    const exchange = test.request();
    cluster.last.fail("connect-failure", "delayed connect error: 111");
    expect(exchange.status).toBe(503);
    expect(exchange.body).toBe(
      "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure",
    );
    expect(test.log()).toEqual([
      "503 UF upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_111}",
    ]);
    expect(cluster.outcomes).toEqual([[0, true]]);
  });

  it("503 UF where connecting takes too long", () => {
    const test = proxy();
    test.clusters.add("c").mode = "connect-timeout";
    test.request();
    expect(test.log()).toEqual(["503 UF upstream_reset_before_response_started{connection_timeout}"]);
  });

  it("503 UO where a limit of the cluster is reached, marked for the caller", () => {
    const test = proxy();
    test.clusters.add("c").mode = "overflow";
    const exchange = test.request();
    expect(exchange.head?.["x-envoy-overloaded"]).toBe("true");
    expect(test.log()).toEqual(["503 UO upstream_reset_before_response_started{overflow}"]);
  });

  it.each([
    ["connection-termination", "503 UC upstream_reset_before_response_started{connection_termination}"],
    ["remote", "503 UR upstream_reset_before_response_started{remote_reset}"],
    ["protocol-error", "502 UPE upstream_reset_before_response_started{protocol_error}"],
    ["local", "503 LR upstream_reset_before_response_started{local_reset}"],
  ] as const)("for an upstream that ends by %s before its response", (reason, line) => {
    const test = proxy();
    const cluster = test.clusters.add("c");
    const exchange = test.request();
    cluster.last.decoder.onReset(reason);
    expect(exchange.complete).toBe(true);
    expect(test.log()).toEqual([line]);
  });

  it("none once the response has begun: the client's connection ends, the code stays", () => {
    const test = proxy();
    const cluster = test.clusters.add("c");
    const exchange = test.request();
    cluster.last.begin(200).data("half");
    cluster.last.decoder.onReset("connection-termination");
    expect(exchange.resetReason).toBe("local");
    expect(exchange.body).toBe("half");
    expect(test.log()).toEqual(["200 UPE upstream_reset_after_response_started{protocol_error}"]);
  });

  it("a direct response with the route's headers", () => {
    const test = proxy([
      {
        match: { prefix: "/" },
        directResponse: { status: 502, body: { inlineString: "blocked" } },
        responseHeadersToAdd: [{ header: { key: "x-why", value: "policy" } }],
      },
    ]);
    const exchange = test.request();
    expect(exchange.head).toMatchObject({
      ":status": "502",
      "content-length": "7",
      "content-type": "text/plain",
      "x-why": "policy",
    });
    expect(exchange.body).toBe("blocked");
    expect(test.log()).toEqual(["502 - direct_response"]);
  });

  it("no body for HEAD, but its length", () => {
    const test = proxy([{ match: { prefix: "/" }, directResponse: { status: 200, body: { inlineString: "four" } } }]);
    const exchange = test.request({ ":method": "HEAD" });
    expect([exchange.head?.["content-length"], exchange.body, exchange.complete]).toEqual(["4", "", true]);
  });

  it("gRPC clients get their status in a header", () => {
    const test = proxy();
    test.clusters.add("c").mode = "no-healthy-upstream";
    const exchange = test.request({ "content-type": "application/grpc" });
    expect(exchange.head).toMatchObject({
      ":status": "200",
      "content-type": "application/grpc",
      "grpc-status": "14",
      "grpc-message": "no healthy upstream",
    });
    expect(exchange.complete).toBe(true);
    expect(test.log()).toEqual(["200 UH no_healthy_upstream"]);
  });

  it.each([
    [{ ":path": "relative" }, "404 - absolute_path_rejected"],
    [{ ":path": "*", ":method": "OPTIONS" }, "404 - absolute_path_rejected"],
    [{ ":path": "" }, "404 - missing_path_rejected"],
    [{ upgrade: "websocket" }, "403 - upgrade_failed"],
  ])("for a request that cannot be routed: %j", (fields, line) => {
    const test = proxy();
    const exchange = test.request(fields);
    expect(exchange.complete).toBe(true);
    expect(test.log()).toEqual([line]);
  });

  it("close the connection where the client still sends, or sent nonsense", () => {
    const test = proxy([{ match: { prefix: "/" }, directResponse: { status: 200 } }], { normalizePath: true });
    expect(test.request().closing).toBe(false);
    expect(test.request({ ":method": "POST" }, false).closing).toBe(true);
    expect(test.request({ ":path": "/%00" }).closing).toBe(true);
  });

  it("code 0 and DC where the client goes before the response", () => {
    const test = proxy();
    const cluster = test.clusters.add("c");
    test.request().disconnect();
    expect(cluster.last.resetReason).toBe("local");
    expect(test.log()).toEqual(["0 DC downstream_remote_disconnect"]);
  });

  it("DC with the code where the client goes during the response", () => {
    const test = proxy();
    const cluster = test.clusters.add("c");
    const exchange = test.request();
    cluster.last.begin(200).data("half");
    exchange.disconnect();
    expect(cluster.last.resetReason).toBe("local");
    expect(test.log()).toEqual(["200 DC downstream_remote_disconnect"]);
  });

  it("gives up a connection that is not there yet when the client goes", () => {
    const test = proxy();
    const cluster = test.clusters.add("c");
    cluster.mode = "wait";
    test.request().disconnect();
    expect(cluster.last.cancelled).toBe(true);
    expect(test.log()).toEqual(["0 DC downstream_remote_disconnect"]);
  });

  it("counts and logs what the codec refused, with DPE", () => {
    const test = proxy();
    test.connect().codec.callbacks.onRefused({
      status: 400,
      code: "http1.duplicate_content_length",
      kind: "protocol-error",
      method: "GET",
      path: "/",
      authority: null,
      wireBytesReceived: 10,
      wireBytesSent: 20,
    });
    expect(test.log()).toEqual(["400 DPE http1.duplicate_content_length"]);
    expect(test.metrics.text()).toContain(
      'envoy_http_downstream_rq_xx{envoy_response_code_class="4",envoy_http_conn_manager_prefix="test"} 1',
    );
  });
});

describe("redirects", () => {
  function location(
    redirect: object,
    path: string,
    fields: Record<string, string> = {},
    match: object = { prefix: "/" },
  ) {
    const exchange = proxy([{ match, redirect }]).request({
      ":path": path,
      ":authority": "shop.example:8080",
      ...fields,
    });
    return [exchange.status, exchange.head?.location];
  }

  it.each([
    [{ httpsRedirect: true }, "/a?b", [301, "https://shop.example:8080/a?b"]],
    [{ hostRedirect: "other.example" }, "/a?b", [301, "http://other.example/a?b"]],
    [{ portRedirect: 8443, schemeRedirect: "https" }, "/", [301, "https://shop.example:8443/"]],
    [{ pathRedirect: "/new" }, "/a?b", [301, "http://shop.example:8080/new?b"]],
    [{ pathRedirect: "/new?c" }, "/a?b", [301, "http://shop.example:8080/new?c"]],
    [{ prefixRewrite: "/new/" }, "/a?b", [301, "http://shop.example:8080/new/a?b"]],
    [
      { regexRewrite: { pattern: { regex: "^/(\\w+)" }, substitution: "/x/\\1" } },
      "/a?b",
      [301, "http://shop.example:8080/x/a?b"],
    ],
    [{ stripQuery: true }, "/a?b", [301, "http://shop.example:8080/a"]],
    [{ responseCode: "PERMANENT_REDIRECT" }, "/", [308, "http://shop.example:8080/"]],
    [{ responseCode: "FOUND" }, "/", [302, "http://shop.example:8080/"]],
  ])("%j from %s", (redirect, path, expected) => {
    expect(location(redirect, path)).toEqual(expected);
  });

  it("drop the default port of the scheme that is left", () => {
    expect(location({ httpsRedirect: true }, "/", { ":authority": "shop.example:80" })).toEqual([
      301,
      "https://shop.example/",
    ]);
  });

  it("are how a virtual host insists on TLS", () => {
    const test = new TestProxy({ routeConfig: routesTo(TO_C, { requireTls: "ALL" }) });
    const exchange = test.request({ ":path": "/a?b", ":authority": "shop.example" });
    expect([exchange.status, exchange.head?.location]).toEqual([301, "https://shop.example/a?b"]);
    test.clusters.add("c");
    expect(test.request({ "x-forwarded-proto": "https" }).status).toBeNull();
  });
});
