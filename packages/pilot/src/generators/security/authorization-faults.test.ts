import { describe, expect, it } from "vitest";
import { object, pushOf } from "../../model/testing/push-of.ts";
import { authorizationFaults } from "./authorization-faults.ts";
import { AROUND } from "./testing/arbitrary-calls.ts";
import type { Call, WrittenPolicy } from "./testing/call.ts";
import { translatedVerdicts } from "./testing/translated-verdict.ts";

const CALL: Call = {
  http: { method: "GET", host: "a", path: "/a", headers: { a: "b" }, token: null, notes: {} },
  sourceIp: "10.0.0.1",
  remoteIp: "10.0.0.1",
  destinationIp: "10.0.0.2",
  destinationPort: 80,
  sni: "",
  peer: null,
};

/** Conditions that validation lets through and no data plane could keep. */
const UNUSABLE = [
  [{ when: [{ key: "destination.port", values: ["http"] }] }, "when[0].values", '"http" is no port number'],
  [{ when: [{ key: "source.ip", notValues: ["10.0.0.0/99"] }] }, "when[0].notValues", "is no IP address or range"],
  [{ from: [{ source: { ipBlocks: ["fe80::1%eth0"] } }] }, "from[0].source.ipBlocks", "is no IP address or range"],
  [{ when: [{ key: "request.headers[a b]", values: ["x"] }] }, "when[0].key", "names nothing that can be asked"],
  [{ when: [{ key: "request.headers[a][b]", values: ["x"] }] }, "when[0].key", "names nothing that can be asked"],
  [{ to: [{ operation: { paths: ["a/{*}"] } }] }, "to[0].operation.paths", "is no path that can be matched"],
  [{ to: [{ operation: { notPaths: ["/a#/{*}"] } }] }, "to[0].operation.notPaths", "is no path that can be matched"],
] as const;

function policy(action: "ALLOW" | "DENY", rule: object): WrittenPolicy {
  return { metadata: { name: "p", namespace: "foo" }, spec: { action, rules: [rule] } } as WrittenPolicy;
}

describe("what cannot be enforced as written", () => {
  it.each(UNUSABLE)("allows nothing and denies the more: %j", (rule) => {
    expect(translatedVerdicts([policy("ALLOW", rule)], [CALL], AROUND)).toEqual(["deny"]);
    expect(translatedVerdicts([policy("DENY", rule)], [CALL], AROUND)).toEqual(["deny"]);
  });

  it.each(UNUSABLE)("is told once, by object, field and line: %j", (rule, path, message) => {
    const { spec } = policy("DENY", {
      ...rule,
      from: "from" in rule ? [...rule.from] : [{ source: { ipBlocks: ["::"] } }],
    });
    const faults = authorizationFaults(pushOf([object("AuthorizationPolicy", "foo/p", spec)]));
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatchObject({
      code: "not-enforceable",
      severity: "warning",
      object: "AuthorizationPolicy foo/p",
      path: `spec.rules[0].${path}`,
      file: "test.yaml",
      line: 1,
    });
    expect(faults[0]?.message).toContain(message);
    expect(faults[0]?.message).toContain("The rule denies as if this were not there.");
  });

  it("leaves the other rules of the policy as they are", () => {
    const spec = { rules: [UNUSABLE[0][0], { to: [{ operation: { paths: ["/a"] } }] }] };
    const written = { ...policy("ALLOW", {}), spec } as unknown as WrittenPolicy;
    expect(translatedVerdicts([written], [CALL], AROUND)).toEqual(["allow"]);
  });

  it("is every CUSTOM policy, as no authorizer can be asked", () => {
    const spec = { action: "CUSTOM", provider: { name: "x" }, rules: [{}] };
    expect(authorizationFaults(pushOf([object("AuthorizationPolicy", "foo/p", spec)]))).toMatchObject([
      {
        code: "no-authorizer",
        path: "spec.action",
        message: "External authorizers cannot be asked yet. What the rules match is denied.",
      },
    ]);
  });

  it("is nothing in a policy that is sound", () => {
    const spec = { rules: [{ to: [{ operation: { paths: ["/a/{*}"], ports: ["80"] } }] }] };
    expect(authorizationFaults(pushOf([object("AuthorizationPolicy", "foo/p", spec)]))).toEqual([]);
  });
});
