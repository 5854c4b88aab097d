import { describe, expect, it } from "vitest";
import type { TlsInfo } from "../../transport/transport.ts";
import type { Fields } from "../testing/fake-server-codec.ts";
import { routesTo, TestProxy, type TestProxyOptions } from "../testing/test-proxy.ts";

const TLS: TlsInfo = {
  version: "TLSv1.3",
  alpn: null,
  peerCertificatePresented: true,
  uriSanPeer: ["spiffe://td/ns/a/sa/client"],
  dnsSanPeer: ["a.test"],
  fingerprintPeer: "abc1",
  uriSanLocal: ["spiffe://td/ns/b/sa/server"],
  subjectPeer: 'CN="x",O=y',
  subjectLocal: null,
};

/** What the upstream sees of a request, and the client of its response. */
function pass(
  manager: object,
  fields: Fields = {},
  options: TestProxyOptions = {},
  route: object = {},
  response: Fields = {},
) {
  const test = new TestProxy(
    {
      routeConfig: routesTo([{ match: { prefix: "/" }, route: { cluster: "c", timeout: "0s" }, ...route }]),
      ...manager,
    },
    options,
  );
  const cluster = test.clusters.add("c");
  const exchange = test.request(fields);
  const up = cluster.attempts[0];
  up?.respond(200, response);
  return { up: up?.head ?? {}, down: exchange.head ?? {}, test, exchange };
}

const INTERNAL = { internalAddressConfig: { cidrRanges: [{ addressPrefix: "10.0.0.0", prefixLen: 8 }] } };

describe("x-forwarded-for and the client's address", () => {
  it("is left alone unless the proxy is the first that is trusted", () => {
    expect(pass({}, { "x-forwarded-for": "1.2.3.4" }).up["x-forwarded-for"]).toBe("1.2.3.4");
    expect(pass({}).up["x-forwarded-for"]).toBeUndefined();
  });

  it("grows by the peer at the edge", () => {
    expect(pass({ useRemoteAddress: true }).up["x-forwarded-for"]).toBe("10.0.0.9");
    expect(pass({ useRemoteAddress: true }, { "x-forwarded-for": "1.2.3.4" }).up["x-forwarded-for"]).toBe(
      "1.2.3.4,10.0.0.9",
    );
    expect(pass({ useRemoteAddress: true, skipXffAppend: true }).up["x-forwarded-for"]).toBeUndefined();
  });

  it("tells edge requests the address in x-envoy-external-address", () => {
    expect(pass({ useRemoteAddress: true }).up["x-envoy-external-address"]).toBe("10.0.0.9");
    expect(pass({ useRemoteAddress: true, ...INTERNAL }).up["x-envoy-external-address"]).toBeUndefined();
    const trusted = { useRemoteAddress: true, xffNumTrustedHops: 1 };
    expect(pass(trusted, { "x-forwarded-for": "8.8.8.8, 1.2.3.4" }).up["x-envoy-external-address"]).toBe("1.2.3.4");
  });
});

describe("x-forwarded-proto, scheme and port", () => {
  it("say how the client came, where nobody has said it before", () => {
    expect(pass({}).up).toMatchObject({ "x-forwarded-proto": "http", ":scheme": "http" });
    expect(pass({}, {}, { tls: TLS }).up["x-forwarded-proto"]).toBe("https");
    expect(pass({}, { "x-forwarded-proto": "https" }).up["x-forwarded-proto"]).toBe("https");
    // The TLS of a hop inside does not change what was asked for outside.
    const inside = pass({}, { "x-forwarded-proto": "http", ":scheme": "https" }, { tls: TLS });
    expect(inside.up).toMatchObject({ "x-forwarded-proto": "http", ":scheme": "http" });
    expect(pass({}, { "x-forwarded-proto": "ftp", ":scheme": "https" }, { tls: TLS }).up[":scheme"]).toBe("https");
    expect(pass({}, { "x-forwarded-proto": "https", ":scheme": "http" }, { tls: TLS }).up[":scheme"]).toBe("http");
  });

  it("are overwritten at the edge", () => {
    expect(pass({ useRemoteAddress: true }, { "x-forwarded-proto": "https" }).up["x-forwarded-proto"]).toBe("http");
  });

  it("add the port when asked", () => {
    expect(pass({ appendXForwardedPort: true }).up["x-forwarded-port"]).toBe("8080");
    expect(pass({}).up["x-forwarded-port"]).toBeUndefined();
  });
});

describe("headers that only the mesh may set", () => {
  const forged = { "x-envoy-retry-on": "5xx", "x-envoy-upstream-rq-timeout-ms": "1", "x-envoy-internal": "true" };

  it("are removed from requests that come from elsewhere", () => {
    const { up } = pass({}, forged);
    for (const name of Object.keys(forged)) expect(up[name]).toBeUndefined();
  });

  it("stay where a single forwarded address is internal", () => {
    const { up } = pass(INTERNAL, { "x-forwarded-for": "10.9.9.9", "x-envoy-force-trace": "1" });
    expect(up).toMatchObject({ "x-envoy-internal": "true", "x-envoy-force-trace": "1" });
    expect(
      pass(INTERNAL, { "x-forwarded-for": "10.9.9.9,10.9.9.8", "x-envoy-force-trace": "1" }).up["x-envoy-force-trace"],
    ).toBeUndefined();
    expect(
      pass(INTERNAL, { "x-forwarded-for": "11.0.0.1", "x-envoy-force-trace": "1" }).up["x-envoy-force-trace"],
    ).toBeUndefined();
  });

  it("include those of the route configuration", () => {
    const manager = {
      routeConfig: routesTo(
        [{ match: { prefix: "/" }, route: { cluster: "c" } }],
        {},
        { internalOnlyHeaders: ["x-secret"] },
      ),
    };
    expect(pass(manager, { "x-secret": "1" }).up["x-secret"]).toBeUndefined();
    expect(pass({ ...manager, ...INTERNAL }, { "x-secret": "1", "x-forwarded-for": "10.1.1.1" }).up["x-secret"]).toBe(
      "1",
    );
  });

  it("keep what inner proxies may pass on, but not at the edge", () => {
    const fields = { "x-envoy-original-path": "/o" };
    expect(pass({}, fields).up["x-envoy-original-path"]).toBe("/o");
    expect(pass({ useRemoteAddress: true }, fields).up["x-envoy-original-path"]).toBeUndefined();
  });
});

describe("x-request-id", () => {
  it("is made where there is none, and kept where there is one", () => {
    expect(pass({}).up["x-request-id"]).toBe("uuid-1");
    expect(pass({}, { "x-request-id": "mine" }).up["x-request-id"]).toBe("mine");
    expect(pass({ generateRequestId: false }).up["x-request-id"]).toBeUndefined();
  });

  it("is replaced at the edge unless it is to be preserved", () => {
    expect(pass({ useRemoteAddress: true }, { "x-request-id": "mine" }).up["x-request-id"]).toBe("uuid-1");
    const keep = { useRemoteAddress: true, preserveExternalRequestId: true };
    expect(pass(keep, { "x-request-id": "mine" }).up["x-request-id"]).toBe("mine");
  });

  it("comes back when asked", () => {
    expect(pass({ alwaysSetRequestIdInResponse: true }).down["x-request-id"]).toBe("uuid-1");
    expect(pass({}).down["x-request-id"]).toBeUndefined();
  });
});

describe("server, date and via", () => {
  it("names the proxy in place of the upstream", () => {
    expect(pass({}, {}, {}, {}, { server: "gunicorn" }).down.server).toBe("envoy");
    expect(pass({ serverName: "istio-envoy" }).down.server).toBe("istio-envoy");
    expect(pass({ serverHeaderTransformation: "PASS_THROUGH" }, {}, {}, {}, { server: "gunicorn" }).down.server).toBe(
      "gunicorn",
    );
    const absent = { serverHeaderTransformation: "APPEND_IF_ABSENT" };
    expect(pass(absent, {}, {}, {}, { server: "gunicorn" }).down.server).toBe("gunicorn");
    expect(pass(absent).down.server).toBe("envoy");
  });

  it("dates responses that have no date", () => {
    expect(pass({}).down.date).toBe("Thu, 01 Jan 2026 00:00:00 GMT");
    expect(pass({}, {}, {}, {}, { date: "yesterday" }).down.date).toBe("yesterday");
  });

  it("adds via both ways", () => {
    const { up, down } = pass({ via: "1.1 mesh" }, { via: "1.0 fred" });
    expect([up.via, down.via]).toEqual(["1.0 fred,1.1 mesh", "1.1 mesh"]);
  });
});

describe("authority and path", () => {
  it("lose the port as configured", () => {
    expect(pass({ stripAnyHostPort: true }, { ":authority": "a.example:99" }).up[":authority"]).toBe("a.example");
    expect(pass({ stripMatchingHostPort: true }, { ":authority": "a.example:8080" }).up[":authority"]).toBe(
      "a.example",
    );
    expect(pass({ stripMatchingHostPort: true }, { ":authority": "a.example:99" }).up[":authority"]).toBe(
      "a.example:99",
    );
    expect(pass({ stripTrailingHostDot: true }, { ":authority": "a.example.:99" }).up[":authority"]).toBe(
      "a.example:99",
    );
  });

  it.each([
    ["/a/../b/./c?x=/../", "/b/c?x=/../"],
    ["/%7euser", "/~user"],
    ["/a\\b", "/a/b"],
    ["/a//b", "/a//b"],
    ["/a%2fb", "/a%2fb"],
    ["/..", "/"],
    ["/a/b/..", "/a/"],
  ])("are normalized: %s", (path, expected) => {
    expect(pass({ normalizePath: true }, { ":path": path }).up[":path"]).toBe(expected);
  });

  it("merge slashes when asked", () => {
    expect(pass({ normalizePath: true, mergeSlashes: true }, { ":path": "//a///b?c//d" }).up[":path"]).toBe(
      "/a/b?c//d",
    );
  });

  it("treat escaped slashes as told", () => {
    const action = (pathWithEscapedSlashesAction: string) =>
      pass({ pathWithEscapedSlashesAction }, { ":path": "/a%2fb%5Cc" });
    expect(action("KEEP_UNCHANGED").up[":path"]).toBe("/a%2fb%5Cc");
    expect(action("UNESCAPE_AND_FORWARD").up[":path"]).toBe("/a/b\\c");
    expect(action("REJECT_REQUEST").exchange.status).toBe(400);
    expect(action("UNESCAPE_AND_REDIRECT").exchange.head).toMatchObject({ ":status": "307", location: "/a/b\\c" });
  });

  it("never keep a fragment", () => {
    expect(pass({}, { ":path": "/a#b?c" }).up[":path"]).toBe("/a");
  });

  it("refuse a NUL", () => {
    expect(pass({ normalizePath: true }, { ":path": "/a%00b" }).exchange.status).toBe(400);
  });
});

describe("x-forwarded-client-cert", () => {
  const before = { "x-forwarded-client-cert": "By=old" };
  const details = { setCurrentClientCertDetails: { subject: true, uri: true, dns: true } };

  it("is dropped by default", () => {
    expect(pass({}, before, { tls: TLS }).up["x-forwarded-client-cert"]).toBeUndefined();
  });

  it("grows by the peer's identity", () => {
    const { up } = pass({ forwardClientCertDetails: "APPEND_FORWARD", ...details }, before, { tls: TLS });
    expect(up["x-forwarded-client-cert"]).toBe(
      'By=old,By=spiffe://td/ns/b/sa/server;Hash=abc1;Subject="CN=\\"x\\",O=y";URI=spiffe://td/ns/a/sa/client;DNS=a.test',
    );
  });

  it("tells the certificate and its chain, escaped, where they are asked for", () => {
    const peerChain = () => ["-----BEGIN A\nx+/=\n", "-----BEGIN B\n"];
    const tls = { ...TLS, peerChain };
    const setCurrentClientCertDetails = { cert: true, chain: true };
    const { up } = pass({ forwardClientCertDetails: "SANITIZE_SET", setCurrentClientCertDetails }, before, { tls });
    expect(up["x-forwarded-client-cert"]).toBe(
      'By=spiffe://td/ns/b/sa/server;Hash=abc1;Cert="-----BEGIN%20A%0Ax%2B%2F%3D%0A";' +
        'Chain="-----BEGIN%20A%0Ax%2B%2F%3D%0A-----BEGIN%20B%0A"',
    );
  });

  it("is not believed on plaintext", () => {
    expect(
      pass({ forwardClientCertDetails: "APPEND_FORWARD", ...details }, before).up["x-forwarded-client-cert"],
    ).toBeUndefined();
    expect(pass({ forwardClientCertDetails: "ALWAYS_FORWARD_ONLY" }, before).up["x-forwarded-client-cert"]).toBe(
      "By=old",
    );
  });
});

describe("header lists of routes", () => {
  const add = (key: string, value: string, appendAction?: string) => ({
    header: { key, value },
    ...(appendAction ? { appendAction } : {}),
  });
  const levels = (mostSpecificHeaderMutationsWins: boolean) => ({
    routeConfig: routesTo(
      [
        {
          match: { prefix: "/" },
          requestHeadersToAdd: [add("x-level", "route", "OVERWRITE_IF_EXISTS_OR_ADD")],
          route: {
            weightedClusters: {
              clusters: [
                {
                  name: "c",
                  weight: 1,
                  requestHeadersToAdd: [add("x-level", "cluster", "OVERWRITE_IF_EXISTS_OR_ADD")],
                },
              ],
            },
          },
        },
      ],
      { requestHeadersToAdd: [add("x-level", "host", "OVERWRITE_IF_EXISTS_OR_ADD")] },
      { requestHeadersToAdd: [add("x-level", "table", "OVERWRITE_IF_EXISTS_OR_ADD")], mostSpecificHeaderMutationsWins },
    ),
  });

  it("give the widest level the last word, or the narrowest when told so", () => {
    expect(pass(levels(false)).up["x-level"]).toBe("table");
    expect(pass(levels(true)).up["x-level"]).toBe("cluster");
  });

  it.each([
    ["APPEND_IF_EXISTS_OR_ADD", "old,new", "new"],
    ["ADD_IF_ABSENT", "old", "new"],
    ["OVERWRITE_IF_EXISTS_OR_ADD", "new", "new"],
    ["OVERWRITE_IF_EXISTS", "new", undefined],
  ])("%s", (action, present, absent) => {
    const route = { requestHeadersToAdd: [add("x-a", "new", action)] };
    expect(pass({}, { "x-a": "old" }, {}, route).up["x-a"]).toBe(present);
    expect(pass({}, {}, {}, route).up["x-a"]).toBe(absent);
  });

  it("remove before they add", () => {
    const route = { requestHeadersToRemove: ["x-a"], requestHeadersToAdd: [add("x-a", "new")] };
    expect(pass({}, { "x-a": "old" }, {}, route).up["x-a"]).toBe("new");
  });

  it("change responses too, with values from the stream", () => {
    const route = {
      responseHeadersToRemove: ["x-internal"],
      responseHeadersToAdd: [add("x-host", "%UPSTREAM_HOST% 100%%"), add("x-none", "%RESP(nothing)%")],
    };
    const { down } = pass({}, {}, {}, route, { "x-internal": "1" });
    expect(down["x-host"]).toBe("10.1.0.5:9080 100%");
    expect(down["x-internal"]).toBeUndefined();
    expect(down["x-none"]).toBeUndefined();
  });
});

describe("rewrites", () => {
  const route = (action: object, match: object = { prefix: "/api/" }) => ({
    routeConfig: routesTo([{ match, route: { cluster: "c", ...action } }]),
  });

  it("replace the matched prefix and keep the rest and the query", () => {
    const { up } = pass(route({ prefixRewrite: "/v2/" }), { ":path": "/api/x?y=/api/" });
    expect(up).toMatchObject({ ":path": "/v2/x?y=/api/", "x-envoy-original-path": "/api/x?y=/api/" });
  });

  it("replace an exact path as a whole", () => {
    expect(pass(route({ prefixRewrite: "/b" }, { path: "/a" }), { ":path": "/a?q" }).up[":path"]).toBe("/b?q");
  });

  it("replace by pattern with groups, outside the query only", () => {
    const regexRewrite = { pattern: { regex: "^/api/(\\w+)/(\\w+)" }, substitution: "/\\2/$1/\\1" };
    expect(pass(route({ regexRewrite }), { ":path": "/api/a/b/c?/api/d/e" }).up[":path"]).toBe("/b/$1/a/c?/api/d/e");
  });

  it("replace the authority", () => {
    expect(pass(route({ hostRewriteLiteral: "other" }, { prefix: "/" })).up[":authority"]).toBe("other");
    expect(pass(route({ autoHostRewrite: true }, { prefix: "/" })).up[":authority"]).toBe("reviews-v1.example");
    expect(
      pass(route({ hostRewriteHeader: "x-host" }, { prefix: "/" }), { "x-host": "by-header" }).up[":authority"],
    ).toBe("by-header");
    const pattern = { pattern: { regex: "^/(\\w+)/.*" }, substitution: "\\1.example" };
    expect(
      pass(route({ hostRewritePathRegex: pattern }, { prefix: "/" }), { ":path": "/shop/x?q" }).up[":authority"],
    ).toBe("shop.example");
  });

  it("tell the old authority when asked", () => {
    const { up } = pass(route({ hostRewriteLiteral: "other", appendXForwardedHost: true }, { prefix: "/" }));
    expect(up).toMatchObject({ "x-forwarded-host": "reviews", "x-envoy-original-host": "reviews" });
  });
});
