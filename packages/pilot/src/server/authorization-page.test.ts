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

function ask(query: string, policies: readonly Manifest[] = POLICIES) {
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
  const { status, body } = authorizationPage({ current, proxies, telemetry: "native" }, new URLSearchParams(query));
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

  it("knows headers by any case, joined as they arrive", () => {
    const rule = { when: [{ key: "request.headers[X-A]", values: ["1,2"] }] };
    const policies = [object("AuthorizationPolicy", "h", { rules: [rule] })];
    expect(ask(`${CALL}&header=x-a:1&header=X-A:%202`, policies)).toMatchObject({ allowed: true });
    expect(ask(`${CALL}&header=x-a:1`, policies)).toMatchObject({ allowed: false });
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
