import { describe, expect, it } from "vitest";
import { AROUND } from "./testing/arbitrary-calls.ts";
import type { Call, HttpCall, WrittenPolicy, WrittenRule } from "./testing/call.ts";
import { judge } from "./testing/istio-model.ts";
import { translatedVerdicts } from "./testing/translated-verdict.ts";

const HTTP: HttpCall = { method: "GET", host: "shop", path: "/a", headers: {}, token: null, notes: {} };
const CALL: Call = {
  http: HTTP,
  sourceIp: "10.0.0.1",
  remoteIp: "203.0.113.9",
  destinationIp: "10.0.0.2",
  destinationPort: 80,
  sni: "",
  peer: { trustDomain: "td1", namespace: "bar", account: "b" },
};

type Action = "ALLOW" | "DENY" | "AUDIT" | "CUSTOM";
type Verdict = "allow" | "deny";

function policy(action: Action | undefined, rules: readonly WrittenRule[] | undefined, more = {}): WrittenPolicy {
  const provider = action === "CUSTOM" ? { provider: { name: "x" } } : {};
  const spec = { ...(action && { action }), ...(rules && { rules }), ...provider };
  return {
    metadata: { name: "p", namespace: "foo", ...more },
    spec,
  };
}

const HERE: WrittenRule = { to: [{ operation: { paths: ["/a"] } }] };
const ELSEWHERE: WrittenRule = { to: [{ operation: { paths: ["/b"] } }] };
const ANY: WrittenRule = {};
const DRY = { annotations: { "istio.io/dry-run": "true" } };

/** Order of actions, and rules that are not there. */
const PRECEDENCE: readonly (readonly [what: string, policies: readonly WrittenPolicy[], verdict: Verdict])[] = [
  ["nothing", [], "allow"],
  ["a policy without action and rules", [policy(undefined, undefined)], "deny"],
  ["an empty list of rules", [policy("ALLOW", [])], "deny"],
  ["AUDIT without rules", [policy("AUDIT", [])], "allow"],
  ["a rule that asks nothing", [policy("ALLOW", [ANY])], "allow"],
  ["a DENY rule that asks nothing", [policy("DENY", [ANY])], "deny"],
  ["an AUDIT rule that asks nothing", [policy("AUDIT", [ANY])], "allow"],
  ["ALLOW that matches", [policy("ALLOW", [HERE])], "allow"],
  ["ALLOW that does not", [policy("ALLOW", [ELSEWHERE])], "deny"],
  ["DENY that does not match", [policy("DENY", [ELSEWHERE])], "allow"],
  ["DENY over ALLOW", [policy("ALLOW", [HERE]), policy("DENY", [HERE])], "deny"],
  ["ALLOW after a DENY that misses", [policy("DENY", [ELSEWHERE]), policy("ALLOW", [HERE])], "allow"],
  ["a DENY that misses allows nothing by itself", [policy("DENY", [ELSEWHERE]), policy("ALLOW", [ELSEWHERE])], "deny"],
  ["one of two ALLOW policies", [policy("ALLOW", [ELSEWHERE]), policy("ALLOW", [HERE, ELSEWHERE])], "allow"],
  ["one of two rules", [policy("ALLOW", [ELSEWHERE, HERE])], "allow"],
  ["CUSTOM over ALLOW", [policy("ALLOW", [ANY]), policy("CUSTOM", [HERE])], "deny"],
  ["CUSTOM that misses", [policy("ALLOW", [ANY]), policy("CUSTOM", [ELSEWHERE])], "allow"],
  ["AUDIT beside ALLOW that misses", [policy("AUDIT", [HERE]), policy("ALLOW", [ELSEWHERE])], "deny"],
  ["DENY on trial", [policy("DENY", [ANY], DRY)], "allow"],
  ["ALLOW on trial that misses", [policy("ALLOW", [ELSEWHERE], DRY)], "allow"],
  ["ALLOW on trial beside one that misses", [policy("ALLOW", [HERE], DRY), policy("ALLOW", [ELSEWHERE])], "deny"],
  ["CUSTOM on trial", [policy("CUSTOM", [ANY], DRY)], "allow"],
  ["one of another namespace", [policy("DENY", [ANY], { namespace: "other" })], "allow"],
  ["one of the root namespace", [policy("DENY", [ANY], { namespace: "istio-system" })], "deny"],
];

type Fields = Readonly<Record<string, readonly string[]>>;

/** What holds for the call: fields of a source or operation, and conditions. */
const HOLDING: readonly {
  from?: Fields;
  to?: Fields;
  when?: Fields;
  call?: Partial<Call>;
  http?: Partial<HttpCall>;
}[] = [
  { to: { hosts: ["SHOP"] } },
  { to: { hosts: ["*"] }, http: { host: "" } },
  { to: { notHosts: ["shop:80"] } },
  { to: { hosts: ["*.example"] }, http: { host: "A.Example" } },
  { to: { methods: ["G*"], notMethods: ["GE"] } },
  { to: { paths: ["/a"] }, http: { path: "/a?b=/c" } },
  { to: { notPaths: ["/a"] }, http: { path: "/A" } },
  { to: { paths: ["/x/{*}/z", "/x/{**}"] }, http: { path: "/x/y/z/w" } },
  { to: { notPaths: ["/x/{*}"] }, http: { path: "/x/y/z" } },
  { to: { ports: ["80"], notPorts: ["8080"] } },
  { from: { principals: ["td1/ns/bar/sa/b"] } },
  { from: { principals: ["old-td/ns/bar/sa/b"] } },
  { from: { principals: ["cluster.local/ns/bar/sa/b"] } },
  { from: { principals: ["*"] } },
  { from: { notPrincipals: ["*"] }, call: { peer: null } },
  { from: { notPrincipals: ["evil/ns/bar/sa/b"] } },
  { from: { namespaces: ["b*"], notNamespaces: ["ba"] } },
  { from: { serviceAccounts: ["bar/b"] } },
  { from: { notServiceAccounts: ["b"] } },
  { from: { notServiceAccounts: ["bar/."] } },
  { from: { trustDomains: ["new-td"] } },
  { from: { notTrustDomains: ["*"] }, call: { peer: null } },
  { from: { ipBlocks: ["10.0.0.0/30"] } },
  { from: { remoteIpBlocks: ["203.0.113.0/24"], notRemoteIpBlocks: ["10.0.0.1"] } },
  { from: { ipBlocks: ["2001:db8::/32"] }, call: { sourceIp: "2001:db8:0:1::1" } },
  { from: { requestPrincipals: ["a/b/c"] }, http: { token: { iss: "a/b", sub: "c" } } },
  { from: { requestPrincipals: ["*"] }, http: { token: { iss: "i", sub: "s" } } },
  { from: { notRequestPrincipals: ["*"] } },
  { when: { "request.headers[X-A]": ["b*"] }, http: { headers: { "x-a": "bc" } } },
  { when: { "request.headers[x-a]": ["*"] }, http: { headers: { "x-a": "" } } },
  { when: { "source.ip": ["10.0.0.1"] } },
  { when: { "remote.ip": ["203.0.113.9"] } },
  { when: { "destination.ip": ["10.0.0.2"] } },
  { when: { "destination.port": ["80"] } },
  { when: { "connection.sni": ["*.shop"] }, call: { sni: "a.shop" } },
  { when: { "source.namespace": ["bar"] } },
  { when: { "source.principal": ["new-td/ns/bar/sa/b"] } },
  { when: { "source.serviceAccount": ["bar/b"] } },
  { when: { "source.trustDomain": ["old-td"] } },
  { when: { "request.auth.audiences": ["x"] }, http: { token: { iss: "", sub: "", aud: ["y", "x"] } } },
  { when: { "request.auth.presenter": ["x"] }, http: { token: { iss: "", sub: "", azp: "x" } } },
  { when: { "request.auth.claims[a][b]": ["c"] }, http: { token: { iss: "", sub: "", a: { b: "c" } } } },
  { when: { "experimental.envoy.filters.x[k]": ["[v]"] }, http: { notes: { "envoy.filters.x": { k: ["v"] } } } },
];

function ruleOf({ from, to, when }: (typeof HOLDING)[number]): WrittenRule {
  return {
    ...(from && { from: [{ source: from }] }),
    ...(to && { to: [{ operation: to }] }),
    ...(when && { when: Object.entries(when).map(([key, values]) => ({ key, values })) }),
  };
}

describe("by hand", () => {
  it.each(PRECEDENCE)("%s", (_what, policies, verdict) => {
    const named = policies.map((one, i) => ({ ...one, metadata: { ...one.metadata, name: `p${i}` } }));
    expect(translatedVerdicts(named, [CALL], AROUND)).toEqual([verdict]);
    expect(judge(named, CALL, AROUND)).toBe(verdict);
  });

  it.each(HOLDING)("holds: $from $to $when", (entry) => {
    const call = { ...CALL, ...entry.call, http: { ...HTTP, ...entry.http } };
    for (const [action, verdict] of [
      ["ALLOW", "allow"],
      ["DENY", "deny"],
    ] as const) {
      const policies = [policy(action, [ruleOf(entry)])];
      expect(translatedVerdicts(policies, [call], AROUND)).toEqual([verdict]);
      expect(judge(policies, call, AROUND)).toBe(verdict);
    }
  });

  it.each(HOLDING)("does not hold beside what fails: $from $to $when", (entry) => {
    const call = { ...CALL, ...entry.call, http: { ...HTTP, ...entry.http } };
    const rule = ruleOf(entry);
    const failing = { ...rule, when: [...(rule.when ?? []), { key: "destination.port", notValues: ["80"] }] };
    expect(translatedVerdicts([policy("ALLOW", [failing])], [call], AROUND)).toEqual(["deny"]);
    expect(translatedVerdicts([policy("DENY", [failing])], [call], AROUND)).toEqual(["allow"]);
  });
});
