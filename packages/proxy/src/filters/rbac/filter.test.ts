import { describe, expect, it } from "vitest";
import { ROUTER, routesTo, TestProxy, textLog } from "../../http/testing/test-proxy.ts";
import type { TlsInfo } from "../../transport/transport.ts";

const TYPE = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC";
const PER_ROUTE = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBACPerRoute";
const NAME = "envoy.filters.http.rbac";
const REVIEWS = "spiffe://cluster.local/ns/default/sa/reviews";
const LOG = textLog("%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%");

const ANY = { any: true };
const GET = { header: { name: ":method", stringMatch: { exact: "GET" } } };

function policy(permission: object = ANY, principal: object = ANY) {
  return { permissions: [permission], principals: [principal] };
}

function named(exact: string) {
  return { authenticated: { principalName: { exact } } };
}

function certificate(uriSanPeer: readonly string[]): TlsInfo {
  return {
    version: "TLSv1.3",
    alpn: null,
    peerCertificatePresented: uriSanPeer.length > 0,
    uriSanPeer,
    dnsSanPeer: [],
    fingerprintPeer: null,
    uriSanLocal: [],
    subjectPeer: null,
    subjectLocal: null,
  };
}

function guarded(rbac: object, options: { tls?: TlsInfo; route?: object; accessLog?: object; manager?: object } = {}) {
  const { tls, route = {}, accessLog = LOG, manager = {} } = options;
  const test = new TestProxy(
    {
      routeConfig: routesTo([{ match: { prefix: "/" }, route: { cluster: "c" }, ...route }]),
      httpFilters: [{ name: NAME, typedConfig: { "@type": TYPE, ...rbac } }, ROUTER],
      accessLog: [accessLog],
      normalizePath: true,
      mergeSlashes: true,
      ...manager,
    },
    tls === undefined ? {} : { tls },
  );
  return { test, cluster: test.clusters.add("c") };
}

const allow = (policies: object) => ({ rules: { action: "ALLOW", policies } });
const deny = (policies: object) => ({ rules: { action: "DENY", policies } });

describe("the RBAC filter", () => {
  it("answers 403 with the deciding policy in the details, and forwards nothing", () => {
    const { test, cluster } = guarded(deny({ "ns[a b]-policy[p]-rule[0]": policy(GET) }));
    const exchange = test.request();
    expect([exchange.status, exchange.body]).toEqual([403, "RBAC: access denied"]);
    expect(cluster.attempts).toHaveLength(0);
    expect(test.log()).toEqual(["403 - rbac_access_denied_matched_policy[ns[a_b]-policy[p]-rule[0]]"]);
    test.request({ ":method": "POST" });
    expect(cluster.attempts).toHaveLength(1);
  });

  it("says none where no policy allows", () => {
    const { test } = guarded(allow({}));
    expect(test.request().status).toBe(403);
    expect(test.log()).toEqual(["403 - rbac_access_denied_matched_policy[none]"]);
  });

  it("knows a caller by its certificate only", () => {
    const rules = allow({ p: policy(ANY, named(REVIEWS)) });
    expect(guarded(rules, { tls: certificate([REVIEWS]) }).test.request().status).toBeNull();
    expect(guarded(rules, { tls: certificate([`${REVIEWS}-v2`]) }).test.request().status).toBe(403);
    expect(guarded(rules, { tls: certificate([]) }).test.request().status).toBe(403);
    expect(guarded(rules).test.request().status).toBe(403);
    const anyone = allow({ p: policy(ANY, { authenticated: {} }) });
    expect(guarded(anyone, { tls: certificate([REVIEWS]) }).test.request().status).toBeNull();
    expect(guarded(anyone, { tls: certificate([]) }).test.request().status).toBe(403);
  });

  it("sees each line of a header: none can be hidden behind another", () => {
    const exact = (value: string, more: object = {}) =>
      guarded(deny({ p: policy({ header: { name: "x-user", stringMatch: { exact: value }, ...more } }) })).test;
    const send = (test: TestProxy, ...values: string[]) => test.request({ "x-user": values }).status;
    expect(send(exact("ann"), "bob", "ann")).toBe(403);
    expect(send(exact("ann"), "ann", "bob")).toBe(403);
    expect(send(exact("ann"), "bob,ann")).toBeNull();
    expect(send(exact("bob,ann"), "bob", "ann")).toBeNull();
    expect(send(exact("bob,ann"), "bob,ann")).toBe(403);
    expect(send(exact("ann", { invertMatch: true }), "bob", "ann")).toBeNull();
    expect(send(exact("ann", { invertMatch: true }), "bob", "eve")).toBe(403);
  });

  it("judges the path without its query", () => {
    const { test } = guarded(allow({ p: policy({ urlPath: { path: { exact: "/a" } } }) }));
    expect(test.request({ ":path": "/a?b=/c" }).status).toBeNull();
    expect(test.request({ ":path": "/c?/a" }).status).toBe(403);
  });

  it("tells the connection's peer from whoever asks through it", () => {
    const range = (prefix: string) => ({ addressPrefix: prefix, prefixLen: 32 });
    const forwarded = { "x-forwarded-for": "203.0.113.9" };
    const behind = { useRemoteAddress: true, xffNumTrustedHops: 1 };
    const asks = (principal: object) =>
      guarded(allow({ p: policy(ANY, principal) }), { manager: behind }).test.request(forwarded).status;
    expect(asks({ remoteIp: range("203.0.113.9") })).toBeNull();
    expect(asks({ directRemoteIp: range("10.0.0.9") })).toBeNull();
    expect(asks({ remoteIp: range("10.0.0.9") })).toBe(403);
    expect(asks({ directRemoteIp: range("203.0.113.9") })).toBe(403);
  });

  it.each(["//admin", "/./admin", "/a/../admin", "/%61dmin", "/admin?x", "/admin#x", "/x/%2e%2e/admin"])(
    "is not walked around by %s",
    (path) => {
      const { test } = guarded(deny({ p: policy({ urlPath: { path: { prefix: "/admin" } } }) }));
      expect(test.request({ ":path": path }).status).not.toBeNull();
    },
  );

  it("notes what a dry run would have done, and does not do it", () => {
    const { test, cluster } = guarded(
      {
        shadowRules: { action: "DENY", policies: { p: policy() } },
        shadowRulesStatPrefix: "istio_dry_run_deny_",
      },
      { accessLog: textLog("%DYNAMIC_METADATA(envoy.filters.http.rbac)%") },
    );
    const exchange = test.request();
    expect(exchange.status).toBeNull();
    cluster.last.respond(200);
    expect(JSON.parse(test.log()[0] ?? "")).toEqual({
      istio_dry_run_deny_shadow_effective_policy_id: "p",
      istio_dry_run_deny_shadow_engine_result: "denied",
    });
    expect(test.metrics.text()).toContain(
      'envoy_http_rbac_shadow_denied{envoy_rbac_http_prefix="istio_dry_run_deny_",envoy_http_conn_manager_prefix="test"} 1',
    );
  });

  it("counts both verdicts", () => {
    const { test } = guarded(allow({ p: policy(GET) }));
    test.request();
    test.request({ ":method": "PUT" });
    test.request({ ":method": "PUT" });
    expect(test.metrics.text()).toContain('envoy_http_rbac_allowed{envoy_http_conn_manager_prefix="test"} 1');
    expect(test.metrics.text()).toContain('envoy_http_rbac_denied{envoy_http_conn_manager_prefix="test"} 2');
  });

  it("marks what an audit asks for, and lets everything pass", () => {
    const { test, cluster } = guarded(
      { rules: { action: "LOG", policies: { p: policy(GET) } } },
      { accessLog: textLog("%DYNAMIC_METADATA(envoy.common:access_log_hint)%") },
    );
    for (const method of ["GET", "PUT"]) {
      test.request({ ":method": method });
      cluster.last.respond(200);
    }
    expect(test.log()).toEqual(["true", "false"]);
  });

  it("takes a route's own rules, or none", () => {
    const own = (rbac: object) => ({ route: { typedPerFilterConfig: { [NAME]: { "@type": PER_ROUTE, ...rbac } } } });
    const all = deny({ p: policy() });
    expect(guarded(all).test.request().status).toBe(403);
    expect(guarded(all, own({})).test.request().status).toBeNull();
    expect(guarded(all, own({ rbac: deny({}) })).test.request().status).toBeNull();
    expect(guarded(deny({}), own({ rbac: all })).test.request().status).toBe(403);
  });

  it("without rules lets everything pass", () => {
    expect(guarded({}).test.request().status).toBeNull();
  });

  it("refuses what it cannot decide, by field", () => {
    const condition = { ...policy(), condition: { constExpr: { boolValue: true } } };
    expect(() => guarded(allow({ p: condition }))).toThrow(/rules\.policies\["p"\]\.condition: /);
    expect(() => guarded({ matcher: {} })).toThrow(/matcher: is not supported/);
  });
});
