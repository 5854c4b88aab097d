import { TestIssuer } from "@mixerless/identity/testing";
import { describe, expect, it } from "vitest";
import { type Manifest, object, pod, proxy, pushOf, service } from "../model/testing/push-of.ts";
import { authorizationPage } from "./authorization-page.ts";

const RULES = {
  closed: { to: [{ operation: { paths: ["/closed*"] } }] },
  posts: { to: [{ operation: { methods: ["POST"], hosts: ["shop"] } }] },
  ann: { from: [{ source: { principals: ["cluster.local/ns/default/sa/ann"] } }] },
};
const POLICIES = [
  object("AuthorizationPolicy", "deny", { action: "DENY", rules: [RULES.closed] }),
  object("AuthorizationPolicy", "allow", { rules: [RULES.posts, RULES.ann] }),
  object("AuthorizationPolicy", "audit", { action: "AUDIT", rules: [RULES.posts] }),
  object(
    "AuthorizationPolicy",
    "try",
    { action: "DENY", rules: [{}] },
    { metadata: { annotations: { "istio.io/dry-run": "true" } } },
  ),
];

const NOW = 1_000_000_000_000;

function ask(query: string, policies: readonly Manifest[] = POLICIES, jwt: string | null = null, mutualTls = false) {
  const current = pushOf([
    service("b", {
      ports: [
        { name: "http", port: 80, targetPort: 8080 },
        { name: "tcp", port: 90, targetPort: 9090 },
      ],
    }),
    pod("b-v1", "10.0.0.2"),
    object(
      "Pod",
      "a-v1",
      { serviceAccountName: "ann", containers: [{ name: "a" }] },
      { status: { podIP: "10.0.0.1" } },
    ),
    ...policies,
  ]);
  const proxies = new Map([
    ["1", proxy("a-v1", { ipAddresses: ["10.0.0.1"] })],
    ["2", proxy("b-v1", { ipAddresses: ["10.0.0.2"] })],
  ]);
  const { status, body } = authorizationPage(
    { current, proxies, telemetry: "native", mutualTls },
    new URLSearchParams(query),
    jwt,
    NOW,
  );
  return { status, ...(JSON.parse(String(body)) as Record<string, unknown>) };
}

const CALL = "to=b-v1.default&from=a-v1.default";

describe("/debug/authorizationz", () => {
  it("allows where there is no policy", () => {
    expect(ask(CALL, [])).toMatchObject({
      status: 200,
      allowed: true,
      to: { proxy: "b-v1.default", port: 8080, protocol: "HTTP" },
      from: { address: "10.0.0.1", principal: null },
      decisive: null,
    });
  });

  it.each([
    [
      "method=POST&host=SHOP",
      true,
      { action: "ALLOW", object: "AuthorizationPolicy default/allow", path: "spec.rules[0]" },
    ],
    ["method=GET&host=shop", false, { action: "ALLOW", rule: null }],
    [
      "method=POST&host=shop&path=/closed/x?y",
      false,
      { action: "DENY", object: "AuthorizationPolicy default/deny", path: "spec.rules[0]", file: "test.yaml", line: 7 },
    ],
    ["mtls=", true, { action: "ALLOW", path: "spec.rules[1]" }],
    ["principal=spiffe://cluster.local/ns/default/sa/bob", false, { action: "ALLOW", rule: null }],
    ["port=9090&mtls=", false, { action: "DENY", path: "spec.rules[0]" }],
  ])("%s: allowed %s", (query, allowed, decisive) => {
    expect(ask(`${CALL}&${query}`)).toMatchObject({ status: 200, allowed, decisive });
  });

  it("tells what is on trial, what marks the call, and what applies", () => {
    expect(ask(`${CALL}&method=POST&host=shop`)).toMatchObject({
      audit: { action: "AUDIT", object: "AuthorizationPolicy default/audit" },
      trials: [{ action: "DENY", allowed: false, object: "AuthorizationPolicy default/try" }],
      policies: [{ object: "AuthorizationPolicy default/deny", dryRun: false }, {}, {}, { dryRun: true }],
    });
    expect(ask(CALL)).toMatchObject({ audit: null });
  });

  it("knows headers by any case, line by line", () => {
    const rule = { when: [{ key: "request.headers[X-A]", values: ["2"] }] };
    const policies = [object("AuthorizationPolicy", "h", { rules: [rule] })];
    expect(ask(`${CALL}&header=x-a:1&header=X-A:%202`, policies)).toMatchObject({ allowed: true });
    expect(ask(`${CALL}&header=x-a:1`, policies)).toMatchObject({ allowed: false });
  });

  it("takes a caller by its identity, with the address of whoever has it", () => {
    const ann = "to=b-v1.default&from=spiffe://cluster.local/ns/default/sa/ann";
    expect(ask(ann)).toMatchObject({
      allowed: true,
      from: { address: "10.0.0.1", principal: "spiffe://cluster.local/ns/default/sa/ann" },
      decisive: { action: "ALLOW", path: "spec.rules[1]" },
    });
    const nobody = "to=b-v1.default&from=spiffe://cluster.local/ns/default/sa/bob";
    expect(ask(nobody)).toMatchObject({ allowed: false, from: { address: "0.0.0.0" } });
  });

  it("refuses plaintext where a port takes mutual TLS only, and says by which object", () => {
    const strict = object("PeerAuthentication", "strict", { mtls: { mode: "STRICT" } });
    expect(ask(CALL, [strict], null, true)).toMatchObject({
      allowed: false,
      mtls: { mode: "STRICT", refuses: true, object: "PeerAuthentication default/strict" },
      decisive: null,
    });
    expect(ask(`${CALL}&mtls=`, [strict], null, true)).toMatchObject({ allowed: true, mtls: { refuses: false } });
  });

  it.each([
    ["", 404, 'No proxy "" is connected'],
    ["to=b-v1.default", 400, "Say who calls"],
    ["to=b-v1.default&from=nobody", 400, 'No proxy "nobody" is connected'],
    ["to=b-v1.default&sourceIp=here", 400, '"here" is no IP address'],
    [`${CALL}&port=80`, 400, "does not listen on port 80. It does on 8080 (HTTP), 9090 (TCP)."],
    [`${CALL}&header=x`, 400, 'header "x" is no name:value'],
  ])("refuses %s", (query, status, error) => {
    expect(ask(query)).toMatchObject({ status, error: expect.stringContaining(error) as string });
  });
});

describe("tokens, judged as the data plane judges them,", () => {
  const issuer = new TestIssuer("https://a");
  const tokens = object("RequestAuthentication", "tokens", {
    jwtRules: [{ issuer: issuer.issuer, jwks: issuer.jwks }],
  });
  const admins = object("AuthorizationPolicy", "admins", {
    rules: [
      {
        from: [{ source: { requestPrincipals: ["https://a/*"] } }],
        when: [{ key: "request.auth.claims[scope]", values: ["write"] }],
      },
    ],
  });
  const judge = (claims: object, jwt = issuer.token({ ...claims })) => ask(CALL, [tokens, admins], jwt);

  it("are what policies ask for", () => {
    expect(judge({ scope: "read write" })).toMatchObject({
      allowed: true,
      token: { outcome: "valid", principal: "https://a/ann", path: "spec.jwtRules[0]", line: 7 },
      decisive: { action: "ALLOW", path: "spec.rules[0]" },
    });
    expect(judge({ scope: "read" })).toMatchObject({ allowed: false, token: { outcome: "valid" } });
    expect(ask(CALL, [tokens, admins])).toMatchObject({ allowed: false, token: { outcome: "absent" } });
  });

  it("that are refused refuse the call, whatever policies say", () => {
    const expired = issuer.token({ exp: NOW / 1000 - 61 });
    expect(ask(CALL, [tokens], expired)).toMatchObject({
      allowed: false,
      token: { outcome: "refused", reason: "Jwt is expired", object: "RequestAuthentication default/tokens" },
      decisive: null,
    });
    const stranger = new TestIssuer("https://b").token();
    const { token } = ask(CALL, [tokens], stranger) as unknown as { token: object };
    expect(token).toMatchObject({ outcome: "refused", reason: "Jwt issuer is not configured" });
    expect(token).not.toHaveProperty("object");
  });

  it("that nobody looks at change nothing", () => {
    expect(ask(CALL, [], "a.b.c")).toMatchObject({ allowed: true, token: { outcome: "ignored" } });
    expect(ask(CALL, [])).toMatchObject({ token: null });
    expect(ask(`${CALL}&port=9090`, [tokens], "a.b.c")).toMatchObject({ allowed: true, token: null });
  });

  it("stand in headers, parameters and cookies as well", () => {
    const rule = { issuer: issuer.issuer, jwks: issuer.jwks, fromHeaders: [{ name: "x-t" }], fromParams: ["t"] };
    const places = object("RequestAuthentication", "tokens", { jwtRules: [rule] });
    for (const query of [`header=x-t:${issuer.token()}`, `path=/%3Ft=${issuer.token()}`])
      expect(ask(`${CALL}&${query}`, [places])).toMatchObject({ token: { outcome: "valid" } });
  });
});
