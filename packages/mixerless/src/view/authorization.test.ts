import { expect, it } from "vitest";
import { type AuthorizationAnswer, renderAuthorization } from "./authorization.ts";

const PLACE = { object: "AuthorizationPolicy default/p", path: "spec.rules[1]", file: "p.yaml", line: 7 };
const ALLOWED: AuthorizationAnswer = {
  allowed: true,
  to: { proxy: "b-v1.default", port: 9080, protocol: "HTTP" },
  from: { address: "10.0.0.1", principal: null },
  mtls: { mode: "DISABLE", refuses: false },
  connection: { speaks: "plaintext", why: "", fails: null },
  token: null,
  decisive: null,
  audit: null,
  trials: [],
  policies: [],
};

it.each([
  [{ outcome: "valid", reason: null, principal: "i/s", ...PLACE }, "The token of i/s is valid, by spec.rules[1] of"],
  [{ outcome: "refused", reason: "Jwt is expired", principal: null }, "The token is refused: Jwt is expired."],
  [{ outcome: "absent", reason: null, principal: null }, "There is no token where one is looked for"],
  [
    { outcome: "ignored", reason: null, principal: null },
    "No RequestAuthentication applies here, so nobody looks at the token",
  ],
] as const)("says what becomes of the token: %o", (token, text) => {
  expect(renderAuthorization({ ...ALLOWED, token })).toContain(`\n  ${text}`);
});

it("says that plaintext is refused", () => {
  const text = renderAuthorization({ ...ALLOWED, allowed: false, mtls: { mode: "STRICT", refuses: true, ...PLACE } });
  expect(text).toContain(
    "  The port takes mutual TLS only, by spec.rules[1] of AuthorizationPolicy default/p (p.yaml:7).\n",
  );
});

it("says that nothing is enforced", () => {
  expect(renderAuthorization(ALLOWED)).toBe(
    "ALLOWED: b-v1.default port 9080 (HTTP) from 10.0.0.1, plaintext\n  No policy is enforced here, so everything is allowed.\n",
  );
});

it("names the rule, its object, file and line", () => {
  const answer: AuthorizationAnswer = {
    ...ALLOWED,
    allowed: false,
    from: { address: "10.0.0.1", principal: "spiffe://td/ns/n/sa/s" },
    decisive: { action: "DENY", allowed: false, rule: "ns[default]-policy[p]-rule[1]", ...PLACE },
    audit: { action: "AUDIT", allowed: true, rule: "x", ...PLACE },
    trials: [{ action: "ALLOW", allowed: false, rule: null }],
    policies: [
      { ...PLACE, action: "DENY", dryRun: false },
      { ...PLACE, action: "ALLOW", dryRun: true },
    ],
  };
  expect(renderAuthorization(answer).split("\n")).toEqual([
    "DENIED: b-v1.default port 9080 (HTTP) from 10.0.0.1, spiffe://td/ns/n/sa/s",
    "  spec.rules[1] of AuthorizationPolicy default/p (p.yaml:7), action DENY, matches.",
    "  Marked for audit by AuthorizationPolicy default/p (p.yaml:7).",
    "  On trial, by ALLOW policies alone: denied. No ALLOW rule matches.",
    "",
    "Policies that apply:",
    "  DENY   AuthorizationPolicy default/p (p.yaml:7)",
    "  ALLOW  AuthorizationPolicy default/p (p.yaml:7), dry run",
    "",
  ]);
});

it.each([
  ["ALLOW", "There are ALLOW policies and no rule of them matches."],
  ["DENY", "No DENY rule matches, and there is no ALLOW policy."],
])("tells why without a rule: %s", (action, reason) => {
  const decisive = { action, allowed: action !== "ALLOW", rule: null };
  expect(renderAuthorization({ ...ALLOWED, decisive })).toContain(reason);
});
