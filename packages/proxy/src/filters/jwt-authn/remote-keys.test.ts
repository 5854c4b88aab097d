import { TestIssuer } from "@mixerless/identity/testing";
import { describe, expect, it } from "vitest";
import { ROUTER, routesTo, TestProxy, textLog } from "../../http/testing/test-proxy.ts";

const TYPE = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication";
const A = new TestIssuer("https://a", "old");
const ROTATED = new TestIssuer("https://a", "new");
const BOTH = JSON.stringify({ keys: [A.jwk, ROTATED.jwk] });

function guarded(remote: object = {}) {
  const remoteJwks = {
    httpUri: { uri: "https://keys.example/jwks?v=1", cluster: "keys", timeout: "5s" },
    cacheDuration: "300s",
    ...remote,
  };
  const config = {
    "@type": TYPE,
    providers: { a: { issuer: A.issuer, remoteJwks } },
    rules: [{ match: { prefix: "/" }, requires: { providerName: "a" } }],
  };
  const test = new TestProxy({
    routeConfig: routesTo([{ match: { prefix: "/" }, route: { cluster: "c" } }]),
    httpFilters: [{ name: "envoy.filters.http.jwt_authn", typedConfig: config }, ROUTER],
    accessLog: [textLog("%RESPONSE_CODE% %RESPONSE_CODE_DETAILS%")],
  });
  const application = test.clusters.add("c");
  const keys = test.clusters.add("keys");
  const ask = (issuer = A) => test.request({ authorization: `Bearer ${issuer.token()}` });
  /** What is due now. */
  const settle = () => test.clock.advance(0);
  const answer = (text: string, status = 200) => {
    keys.last.respond(status, {}, text);
    settle();
  };
  const stat = (name: string) =>
    Number(new RegExp(`envoy_http_jwt_authn_${name}\\{.*\\} (\\d+)`).exec(test.metrics.text())?.[1] ?? 0);
  return { test, application, keys, ask, answer, settle, stat };
}

describe("keys behind a cluster", () => {
  it("are fetched once for all requests that wait, body and all", () => {
    const { test, application, keys, answer, stat } = guarded();
    const one = test.request({ ":method": "POST", authorization: `Bearer ${A.token()}` }, false).data("body", true);
    test.request({ authorization: `Bearer ${A.token()}` });
    expect([keys.attempts.length, application.attempts.length, one.paused]).toEqual([1, 0, 1]);
    expect(keys.last.head).toEqual({
      ":method": "GET",
      ":path": "/jwks?v=1",
      ":authority": "keys.example",
      ":scheme": "https",
    });
    answer(A.jwks);
    expect(application.attempts.map(({ body }) => body)).toEqual(["body", ""]);
    expect(stat("jwks_fetch_success")).toBe(1);
  });

  it("are kept for the cache duration, then fetched when a request needs them", () => {
    const { test, application, keys, ask, answer } = guarded();
    ask();
    answer(A.jwks);
    test.clock.advance(299_999);
    ask();
    expect([keys.attempts.length, application.attempts.length]).toEqual([1, 2]);
    test.clock.advance(1);
    ask();
    expect([keys.attempts.length, application.attempts.length]).toEqual([2, 2]);
    answer(A.jwks);
    expect(application.attempts.length).toBe(3);
  });

  it("that are new are found when a token names them, at most every ten seconds", () => {
    const { test, keys, ask, answer } = guarded();
    ask();
    answer(A.jwks);
    expect(ask(ROTATED).status).toBe(401);
    expect(keys.attempts).toHaveLength(1);
    test.clock.advance(10_000);
    const waiting = ask(ROTATED);
    expect([waiting.status, keys.attempts.length]).toEqual([null, 2]);
    answer(BOTH);
    expect(waiting.status).toBeNull();
    expect(ask(ROTATED).status).toBeNull();
    for (let i = 0; i < 100; i++)
      expect(test.request({ authorization: `Bearer ${A.token({}, { kid: `made-up-${i}` })}` }).status).toBe(401);
    expect(keys.attempts).toHaveLength(2);
  });

  it("that were withdrawn end with the cache duration", () => {
    const { test, ask, answer } = guarded();
    ask();
    answer(A.jwks);
    test.clock.advance(300_000);
    const refused = ask();
    answer(ROTATED.jwks);
    expect([refused.status, refused.body]).toEqual([401, "Jwks doesn't have key to match kid or alg from Jwt"]);
  });

  it.each<[what: string, act: (mesh: ReturnType<typeof guarded>) => void]>([
    ["answers with an error", ({ answer }) => answer(A.jwks, 503)],
    ["answers with a redirect", ({ answer }) => answer(A.jwks, 302)],
    ["answers with something else", ({ answer }) => answer("<html>")],
    ["answers with no usable key", ({ answer }) => answer('{"keys":[]}')],
    ["is slow", ({ test }) => test.clock.advance(5000)],
    [
      "is slow in the middle",
      ({ keys, test }) => {
        keys.last.begin(200).data('{"keys":');
        test.clock.advance(5000);
      },
    ],
    [
      "goes away",
      ({ keys, settle }) => {
        keys.last.decoder.onReset("remote");
        settle();
      },
    ],
    [
      "sends without end",
      ({ keys, settle }) => {
        keys.last.begin(200);
        for (let i = 0; i < 17; i++) keys.last.resetReason ?? keys.last.data("x".repeat(64 * 1024));
        expect(keys.last.resetReason).toBe("local");
        settle();
      },
    ],
  ])("of an issuer that %s: 401 for all that wait, and no second try for a second", (_what, act) => {
    const mesh = guarded();
    const { test, keys, ask, settle, stat } = mesh;
    const [one, two] = [ask(), ask()];
    act(mesh);
    for (const { status, body } of [one, two]) expect([status, body]).toEqual([401, "Jwks remote fetch is failed"]);
    expect(test.log()[0]).toBe("401 jwt_authn_access_denied{Jwks_remote_fetch_is_failed}");
    expect(stat("jwks_fetch_failed")).toBe(1);
    const third = ask();
    settle();
    expect([third.status, keys.attempts.length]).toEqual([401, 1]);
    test.clock.advance(1000);
    const fourth = ask();
    mesh.answer(A.jwks);
    expect([fourth.status, keys.attempts.length]).toEqual([null, 2]);
  });

  it("of a cluster that cannot be reached or is not there: 401", () => {
    const { keys, ask, settle } = guarded();
    keys.mode = "connect-failure";
    const one = ask();
    settle();
    expect(one.status).toBe(401);
    const absent = guarded({ httpUri: { uri: "https://keys.example/", cluster: "none", timeout: "5s" } });
    const two = absent.ask();
    absent.settle();
    expect(two.status).toBe(401);
  });

  it("are tried for again as a retry policy says", () => {
    const { test, keys, ask, answer, stat } = guarded({ retryPolicy: { numRetries: 2 } });
    const waiting = ask();
    answer("", 500);
    test.clock.advance(1000);
    expect(keys.attempts).toHaveLength(2);
    answer("", 500);
    test.clock.advance(2000);
    expect(keys.attempts).toHaveLength(3);
    answer(A.jwks);
    expect([waiting.status, stat("jwks_fetch_failed")]).toEqual([null, 0]);
  });

  it("fetched ahead outlive an issuer that is away, and end with the listener", () => {
    const { test, keys, ask, answer } = guarded({ asyncFetch: { failedRefetchDuration: "3s" } });
    ask();
    answer(A.jwks);
    test.clock.advance(295_000);
    expect(keys.attempts).toHaveLength(2);
    answer("", 503);
    expect(ask().status).toBeNull();
    test.clock.advance(3000);
    expect(keys.attempts).toHaveLength(3);
    answer(BOTH);
    expect(ask(ROTATED).status).toBeNull();
    test.factory.close();
    test.clock.advance(1_000_000);
    expect(keys.attempts).toHaveLength(3);
  });

  it("are not waited for by a client that left", () => {
    const { ask, answer, application } = guarded();
    ask().disconnect();
    answer(A.jwks);
    expect(application.attempts).toHaveLength(0);
  });
});
