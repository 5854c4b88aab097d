import { TestIssuer } from "@mixerless/identity/testing";
import { describe, expect, it } from "vitest";
import { ROUTER, routesTo, TestProxy, textLog } from "../../http/testing/test-proxy.ts";

const TYPE = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication";
const PER_ROUTE = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig";
const NAME = "envoy.filters.http.jwt_authn";
const LOG = textLog("%RESPONSE_CODE% %RESPONSE_CODE_DETAILS%");
const METADATA = textLog("%DYNAMIC_METADATA(envoy.filters.http.jwt_authn)%");

const A = new TestIssuer("https://a");
const B = new TestIssuer("https://b");
const STRANGER = new TestIssuer("https://a");

function provider(issuer: TestIssuer, more: object = {}): object {
  return { issuer: issuer.issuer, localJwks: { inlineString: issuer.jwks }, payloadInMetadata: "payload", ...more };
}

const PROVIDERS = { a: provider(A), b: provider(B) };
const NEEDS_A = { providerName: "a" };
const MISSING = { allowMissing: {} };
const FAILED = { allowMissingOrFailed: {} };
const any = (...requirements: object[]) => ({ requiresAny: { requirements } });
const all = (...requirements: object[]) => ({ requiresAll: { requirements } });
/** As pilot writes it for two issuers. */
const ISTIO = any(NEEDS_A, { providerName: "b" }, all(any(NEEDS_A, MISSING), any({ providerName: "b" }, MISSING)));

function guarded(requires: object | null, providers: object = PROVIDERS, more: object = {}, route: object = {}) {
  const rules = requires === null ? [] : [{ match: { prefix: "/" }, requires }];
  const config = { "@type": TYPE, providers, rules, ...more };
  const test = new TestProxy({
    routeConfig: routesTo([{ match: { prefix: "/" }, route: { cluster: "c" }, ...route }]),
    httpFilters: [{ name: NAME, typedConfig: config }, ROUTER],
    accessLog: [
      LOG,
      { ...METADATA, typedConfig: { ...(METADATA as { typedConfig: object }).typedConfig, path: "noted" } },
    ],
  });
  const cluster = test.clusters.add("c");
  /** The answer, or what got through. */
  const ask = (headers: Record<string, string> = {}) => {
    const before = cluster.attempts.length;
    const exchange = test.request(headers);
    if (cluster.attempts.length === before) return `${exchange.status} ${exchange.body}`;
    cluster.last.respond(200);
    return cluster.last.head;
  };
  const noted = () => JSON.parse(test.log("noted").at(-1)?.replace(/^-$/, "null") ?? "null");
  return { test, cluster, ask, noted };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const seconds = (test: TestProxy) => Math.floor(test.clock.now() / 1000);

describe("the JWT filter", () => {
  it("passes a valid token and notes its claims; the token itself stays here", () => {
    const { ask, noted, test } = guarded(NEEDS_A);
    const head = ask({ ...bearer(A.token({ role: "admin" })), "x-other": "1" });
    expect(head).toMatchObject({ ":path": "/", "x-other": "1" });
    expect(head).not.toHaveProperty("authorization");
    expect(noted()).toEqual({ payload: { iss: "https://a", sub: "ann", role: "admin" } });
    expect(test.metrics.text()).toContain('envoy_http_jwt_authn_allowed{envoy_http_conn_manager_prefix="test"} 1');
  });

  it("answers 401 in Envoy's words, with the reason in details and challenge", () => {
    const { test, ask } = guarded(NEEDS_A);
    expect(ask()).toBe("401 Jwt is missing");
    const exchange = test.request({ ":path": "/x?access_token=a.b", ":authority": "shop" });
    expect([exchange.status, exchange.body]).toEqual([
      401,
      "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections",
    ]);
    expect(exchange.head?.["www-authenticate"]).toBe('Bearer realm="http://shop/x", error="invalid_token"');
    expect(test.log()[0]).toBe("401 jwt_authn_access_denied{Jwt_is_missing}");
    expect(test.metrics.text()).toContain('envoy_http_jwt_authn_denied{envoy_http_conn_manager_prefix="test"} 2');
  });

  it("says nothing about the reason where it is told to", () => {
    const { test } = guarded(NEEDS_A, PROVIDERS, { stripFailureResponse: true });
    const exchange = test.request();
    expect([exchange.status, exchange.body, exchange.head?.["www-authenticate"]]).toEqual([401, "", undefined]);
  });

  it.each([
    ["another key under the same name", STRANGER.token(), "401 Jwt verification fails"],
    ["an issuer nobody knows", new TestIssuer("https://c").token(), "401 Jwt issuer is not configured"],
    ["the other issuer", B.token(), "401 Jwt issuer is not configured"],
    ["a key nobody knows", A.token({}, { kid: "x" }), "401 Jwks doesn't have key to match kid or alg from Jwt"],
    ["alg none", A.token({}, { alg: "none" }), "401 Jwt header [alg] is not supported"],
    ["alg HS256", A.token({}, { alg: "HS256" }), "401 Jwt verification fails"],
  ])("refuses %s", (_what, token, answer) => {
    expect(guarded(NEEDS_A).ask(bearer(token))).toBe(answer);
  });

  it("allows for clocks that differ by a minute, or as configured", () => {
    const strict = { a: provider(A, { clockSkewSeconds: 1 }) };
    for (const [skew, providers] of [
      [60, PROVIDERS],
      [1, strict],
    ] as const) {
      const { ask, test } = guarded(NEEDS_A, providers);
      const now = seconds(test);
      expect(ask(bearer(A.token({ exp: now - skew })))).toHaveProperty(":path");
      expect(ask(bearer(A.token({ exp: now - skew - 1 })))).toBe("401 Jwt is expired");
      expect(ask(bearer(A.token({ nbf: now + skew })))).toHaveProperty(":path");
      expect(ask(bearer(A.token({ nbf: now + skew + 1 })))).toBe("401 Jwt not yet valid");
    }
  });

  it("wants one of the audiences, however it is written, and a subject, an end and a life as configured", () => {
    const audience = guarded(NEEDS_A, { a: provider(A, { audiences: ["https://shop.example/", "bank"] }) });
    expect(audience.ask(bearer(A.token({ aud: ["x", "shop.example"] })))).toHaveProperty(":path");
    expect(audience.ask(bearer(A.token({ aud: "http://bank/" })))).toHaveProperty(":path");
    expect(audience.ask(bearer(A.token({ aud: "shop" })))).toBe("403 Audiences in Jwt are not allowed");
    expect(audience.ask(bearer(A.token()))).toBe("403 Audiences in Jwt are not allowed");
    const own = guarded({ providerAndAudiences: { providerName: "a", audiences: ["x"] } });
    expect(own.ask(bearer(A.token({ aud: "x" })))).toHaveProperty(":path");
    expect(own.ask(bearer(A.token({ aud: "y" })))).toBe("403 Audiences in Jwt are not allowed");
    const subject = guarded(NEEDS_A, { a: provider(A, { subjects: { prefix: "spiffe://" } }) });
    expect(subject.ask(bearer(A.token()))).toBe("401 Jwt verification fails");
    const ends = guarded(NEEDS_A, { a: provider(A, { requireExpiration: true, maxLifetime: "100s" }) });
    const now = seconds(ends.test);
    expect(ends.ask(bearer(A.token()))).toBe("401 Jwt has no expiration where one is required");
    expect(ends.ask(bearer(A.token({ exp: now + 101 })))).toBe("401 Jwt lives longer than it may");
    expect(ends.ask(bearer(A.token({ exp: now + 100 })))).toHaveProperty(":path");
  });

  it("looks where it is told: headers with prefixes, parameters, cookies, and nowhere else", () => {
    const places = {
      fromHeaders: [{ name: "X-Token", valuePrefix: "jwt=" }, { name: "X-Plain" }],
      fromParams: ["t"],
      fromCookies: ["session"],
    };
    const { ask } = guarded(NEEDS_A, { a: provider(A, places) });
    const token = A.token();
    expect(ask(bearer(token))).toBe("401 Jwt is missing");
    expect(ask({ "x-token": `a jwt=${token} b` })).not.toHaveProperty("x-token");
    expect(ask({ "x-plain": token })).not.toHaveProperty("x-plain");
    expect(ask({ ":path": `/p?a=1&t=${token}&b=%20` })).toMatchObject({ ":path": "/p?a=1&b=%20" });
    expect(ask({ ":path": `/p?t=${token}` })).toMatchObject({ ":path": "/p" });
    expect(ask({ cookie: `a=b; session="${token}"` })).toHaveProperty("cookie");
    expect(ask({ cookie: "session=x" })).toMatch(/^401 Jwt is not in the form/);
  });

  it("takes no valid token for another: all that an application may find must be valid", () => {
    const { ask, noted } = guarded(NEEDS_A);
    const [good, bad] = [A.token(), STRANGER.token()];
    expect(ask({ authorization: `Bearer ${good},Bearer ${bad}` })).toBe("401 Jwt verification fails");
    expect(ask({ authorization: `Bearer ${bad},Bearer ${good}` })).toBe("401 Jwt verification fails");
    expect(ask({ ...bearer(good), ":path": `/?access_token=${bad}` })).toBe("401 Jwt verification fails");
    expect(ask({ ...bearer(good), ":path": `/?access_token=${A.token({ sub: "eve" })}` })).toMatchObject({
      ":path": "/",
    });
    expect(noted()).toMatchObject({ payload: { sub: "ann" } });
  });

  it("refuses more tokens than anybody has, and those that are too long", () => {
    const { ask } = guarded(NEEDS_A);
    const many = (count: number) => Array.from({ length: count }, () => `Bearer ${A.token()}`).join(",");
    expect(ask({ authorization: many(8) })).toHaveProperty(":path");
    expect(ask({ authorization: many(9) })).toBe("401 Too many Jwt in the request");
    expect(ask(bearer(A.token({ x: "x".repeat(40_000) })))).toBe("401 Jwt is too large");
  });

  it("hands on what it is told to: the token, its payload, claims as headers that nobody can forge", () => {
    const output = {
      forward: true,
      forwardPayloadHeader: "x-payload",
      claimToHeaders: [
        { headerName: "x-sub", claimName: "sub" },
        { headerName: "x-deep", claimName: "deep.list" },
        { headerName: "x-number", claimName: "n" },
        { headerName: "x-fraction", claimName: "f" },
        { headerName: "x-none", claimName: "none" },
      ],
    };
    const { ask } = guarded(any(NEEDS_A, MISSING), { a: provider(A, output) });
    const token = A.token({ sub: "a\r\nx-evil: 1", deep: { list: [1] }, n: 7, f: 1.5 });
    const forged = { "x-sub": "root", "x-payload": "forged", "x-none": "1", "x-deep": "1" };
    expect(ask({ ...bearer(token), ...forged })).toMatchObject({
      ...bearer(token),
      "x-payload": token.split(".")[1],
      "x-sub": "a  x-evil: 1",
      "x-deep": Buffer.from("[1]").toString("base64"),
      "x-number": "7",
      "x-fraction": "1.500000",
    });
    const without = ask(forged);
    for (const name of ["x-sub", "x-payload", "x-none", "x-deep"]) expect(without).not.toHaveProperty(name);
  });

  it("pads the payload where it is told to, and splits claims that are lists", () => {
    const output = {
      forwardPayloadHeader: "x-payload",
      padForwardPayloadHeader: true,
      normalizePayloadInMetadata: { spaceDelimitedClaims: ["scope"] },
      headerInMetadata: "head",
    };
    const { ask, noted } = guarded(NEEDS_A, { a: provider(A, output) });
    const head = ask(bearer(A.token({ scope: "read  write", other: "a b" }))) as Record<string, string>;
    expect((head["x-payload"] ?? "").length % 4).toBe(0);
    expect(noted()).toEqual({
      payload: { iss: "https://a", sub: "ann", scope: ["read", "write"], other: "a b" },
      head: { alg: "ES256", kid: "key-1" },
    });
  });

  it.each<[what: string, requires: object | null, none: number, a: number, b: number, bad: number, stranger: number]>([
    ["nothing", null, 200, 200, 200, 200, 200],
    ["a", NEEDS_A, 401, 200, 401, 401, 401],
    ["any", any(NEEDS_A, { providerName: "b" }), 401, 200, 200, 401, 401],
    ["all", all(NEEDS_A, { providerName: "b" }), 401, 401, 401, 401, 401],
    ["a or missing", any(NEEDS_A, MISSING), 200, 200, 401, 401, 401],
    ["missing or a", any(MISSING, NEEDS_A), 200, 200, 401, 401, 401],
    ["missing", MISSING, 200, 200, 200, 401, 401],
    ["missing or failed", FAILED, 200, 200, 200, 200, 200],
    ["a, or missing or failed", any(NEEDS_A, FAILED), 200, 200, 200, 200, 200],
    ["what pilot writes", ISTIO, 200, 200, 200, 401, 401],
  ])("requires %s", (_what, requires, ...statuses) => {
    const { ask } = guarded(requires);
    const tokens = [null, A.token(), B.token(), STRANGER.token(), new TestIssuer("c").token()];
    const answers = tokens.map((token) => ask(token === null ? {} : bearer(token)));
    expect(answers.map((answer) => (typeof answer === "string" ? Number(answer.slice(0, 3)) : 200))).toEqual(statuses);
  });

  it("notes only what is proven, also where failures pass", () => {
    const { ask, noted } = guarded(FAILED);
    ask(bearer(STRANGER.token()));
    expect(noted()).toBeNull();
    ask(bearer(B.token()));
    expect(noted()).toMatchObject({ payload: { iss: "https://b" } });
  });

  it("takes the first rule that matches; a rule without requirement lets pass", () => {
    const rules = [
      { match: { prefix: "/open" } },
      { match: { prefix: "/b" }, requirementName: "b" },
      { match: { prefix: "/" }, requires: NEEDS_A },
    ];
    const { ask } = guarded(null, PROVIDERS, { rules, requirementMap: { b: { providerName: "b" } } });
    expect(ask({ ":path": "/open/x" })).toHaveProperty(":path");
    expect(ask({ ":path": "/b", ...bearer(B.token()) })).toHaveProperty(":path");
    expect(ask({ ":path": "/b", ...bearer(A.token()) })).toMatch(/^401/);
    expect(ask({ ":path": "/x", ...bearer(A.token()) })).toHaveProperty(":path");
  });

  it("lets browsers ask whether they may send a token", () => {
    const preflight = { ":method": "OPTIONS", origin: "https://x", "access-control-request-method": "GET" };
    const open = guarded(NEEDS_A, PROVIDERS, { bypassCorsPreflight: true });
    expect(open.ask(preflight)).toHaveProperty(":path");
    expect(open.ask({ ...preflight, ":method": "GET" })).toMatch(/^401/);
    expect(open.ask({ ...preflight, origin: "" })).toMatch(/^401/);
    expect(guarded(NEEDS_A).ask(preflight)).toMatch(/^401/);
    expect(open.test.metrics.text()).toContain("envoy_http_jwt_authn_cors_preflight_bypassed{");
  });

  it("does as a route says; a requirement that is not there opens nothing", () => {
    const own = (config: object) => ({ typedPerFilterConfig: { [NAME]: { "@type": PER_ROUTE, ...config } } });
    const map = { requirementMap: { b: { providerName: "b" } } };
    expect(guarded(NEEDS_A, PROVIDERS, map, own({ disabled: true })).ask()).toHaveProperty(":path");
    const named = guarded(NEEDS_A, PROVIDERS, map, own({ requirementName: "b" }));
    expect(named.ask(bearer(B.token()))).toHaveProperty(":path");
    expect(named.ask(bearer(A.token()))).toMatch(/^401/);
    const wrong = guarded(NEEDS_A, PROVIDERS, map, own({ requirementName: "c" }));
    expect(wrong.ask(bearer(A.token()))).toBe("403 Failed JWT authentication");
  });

  it("chooses the route anew by claims where it is told to", () => {
    const claim = {
      filter: NAME,
      path: [{ key: "payload" }, { key: "role" }],
      value: { stringMatch: { exact: "admin" } },
    };
    const test = new TestProxy({
      routeConfig: routesTo([
        { match: { prefix: "/", dynamicMetadata: [claim] }, route: { cluster: "admins" } },
        { match: { prefix: "/" }, route: { cluster: "all" } },
      ]),
      httpFilters: [
        {
          name: NAME,
          typedConfig: {
            "@type": TYPE,
            providers: { a: provider(A, { clearRouteCache: true }) },
            rules: [{ match: { prefix: "/" }, requires: NEEDS_A }],
          },
        },
        ROUTER,
      ],
    });
    const [admins, everybody] = [test.clusters.add("admins"), test.clusters.add("all")];
    test.request(bearer(A.token({ role: "admin" })));
    test.request(bearer(A.token({ role: "user" })));
    expect([admins.attempts.length, everybody.attempts.length]).toEqual([1, 1]);
  });

  it("checks a signature once where a cache is configured, and the time always", () => {
    const { ask, test } = guarded(NEEDS_A, { a: provider(A, { jwtCacheConfig: { jwtCacheSize: 1 } }) });
    const token = A.token({ exp: seconds(test) + 10 });
    for (let i = 0; i < 3; i++) expect(ask(bearer(token))).toHaveProperty(":path");
    ask(bearer(A.token({ sub: "bob" })));
    ask(bearer(token));
    expect(test.metrics.text()).toContain(
      'envoy_http_jwt_authn_jwt_cache_hit{envoy_http_conn_manager_prefix="test"} 2',
    );
    expect(test.metrics.text()).toContain(
      'envoy_http_jwt_authn_jwt_cache_miss{envoy_http_conn_manager_prefix="test"} 3',
    );
    test.clock.advance(71_000);
    expect(ask(bearer(token))).toBe("401 Jwt is expired");
  });

  it.each([
    [{ providers: { a: { issuer: "a" } } }, /providers\["a"\]: needs localJwks or remoteJwks/],
    [{ providers: { a: { localJwks: { inlineString: "{}" } } } }, /localJwks: is no JSON Web Key Set: it has no list/],
    [{ providers: { a: { remoteJwks: {} } } }, /remoteJwks\.httpUri: needs a whole URL and a cluster/],
    [{ providers: {}, rules: [{ match: { prefix: "/" }, requires: NEEDS_A }] }, /there is no provider "a"/],
    [{ providers: {}, rules: [{ match: { prefix: "/" }, requirementName: "x" }] }, /requirement map has no "x"/],
    [{ providers: {}, filterStateRules: { name: "x" } }, /filterStateRules: is not supported/],
    [{ providers: { a: provider(A, { failedStatusInMetadata: "x" }) } }, /failedStatusInMetadata: is not supported/],
  ])("refuses by field what it cannot do: %#", (config, fault) => {
    expect(() => guarded(null, {}, config)).toThrow(fault);
  });
});
