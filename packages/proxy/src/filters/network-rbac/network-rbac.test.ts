import { decodeJson, packAny } from "@mixerless/wire";
import { RBACSchema } from "@mixerless/wire/envoy/extensions/filters/network/rbac/v3/rbac";
import { describe, expect, it } from "vitest";
import { fakeConnectionInfo } from "../../http/testing/fake-connection.ts";
import { routesTo, TestProxy } from "../../http/testing/test-proxy.ts";
import { StreamInfo } from "../../stream/stream-info.ts";
import { compileNetworkRbac } from "./index.ts";

function gate(json: object) {
  const test = new TestProxy({ routeConfig: routesTo([]) });
  const decoded = decodeJson(RBACSchema, { statPrefix: "tcp.", ...json });
  if (decoded.faults !== undefined) throw new Error(JSON.stringify(decoded.faults));
  const faults: { path: string; message: string }[] = [];
  const compiled = compileNetworkRbac(packAny(RBACSchema, decoded.message), test.context, "f", faults);
  if (compiled === null) throw new Error(JSON.stringify(faults));
  const connection = (remote: string, requestedServerName: string | null = null) =>
    new StreamInfo(test.context.listener, { ...fakeConnectionInfo(null, remote), requestedServerName }, 0, 0);
  const connect = (remote: string) => compiled.refusal(connection(remote));
  return { test, connect, connection, compiled, faults };
}

const FROM_TEN = {
  permissions: [{ any: true }],
  principals: [{ directRemoteIp: { addressPrefix: "10.0.0.0", prefixLen: 8 } }],
};

describe("the network RBAC filter", () => {
  it("lets connections pass or names the policy that refuses them, and counts", () => {
    const { test, connect } = gate({ rules: { action: "DENY", policies: { ten: FROM_TEN } } });
    expect(connect("10.1.2.3")).toBe("rbac_access_denied_matched_policy[ten]");
    expect(connect("11.1.2.3")).toBeNull();
    expect(test.metrics.text()).toContain('envoy_denied{envoy_rbac_prefix="tcp",envoy_tcp_prefix="rbac"} 1');
    expect(test.metrics.text()).toContain('envoy_allowed{envoy_rbac_prefix="tcp",envoy_tcp_prefix="rbac"} 1');
  });

  it("without rules only notes what shadow rules say", () => {
    const { test, connect } = gate({ shadowRules: { action: "ALLOW", policies: {} }, shadowRulesStatPrefix: "dry_" });
    expect(connect("10.1.2.3")).toBeNull();
    expect(test.metrics.text()).toContain(
      'envoy_dry__shadow_denied{envoy_rbac_prefix="tcp",envoy_tcp_prefix="rbac"} 1',
    );
  });

  it("notes results under its own name, and what an audit asks for", () => {
    const { connection, compiled } = gate({
      rules: { action: "DENY", policies: { ten: FROM_TEN } },
      shadowRules: { action: "ALLOW", policies: {} },
      shadowRulesStatPrefix: "dry_",
    });
    const info = connection("10.1.2.3");
    compiled.refusal(info);
    expect(info.dynamicMetadata).toEqual({
      "envoy.filters.network.rbac": {
        dry_shadow_engine_result: "denied",
        enforced_effective_policy_id: "ten",
        enforced_engine_result: "denied",
      },
    });
    const audit = gate({ rules: { action: "LOG", policies: { ten: FROM_TEN } } });
    for (const [remote, hint] of [
      ["10.1.2.3", true],
      ["11.1.2.3", false],
    ] as const) {
      const audited = audit.connection(remote);
      expect(audit.compiled.refusal(audited)).toBeNull();
      expect(audited.dynamicMetadata).toMatchObject({
        "envoy.common": { access_log_hint: hint },
        "envoy.filters.network.rbac": { enforced_engine_result: "allowed" },
      });
    }
  });

  it("knows the name and the port that a connection asks for", () => {
    const both = { andRules: { rules: [{ requestedServerName: { exact: "shop" } }, { destinationPort: 8080 }] } };
    const policies = { p: { permissions: [both], principals: [{ any: true }] } };
    const { compiled, connection } = gate({ rules: { action: "ALLOW", policies } });
    expect(compiled.refusal(connection("10.1.2.3", "shop"))).toBeNull();
    for (const name of ["other", null]) expect(compiled.refusal(connection("10.1.2.3", name))).toContain("none");
  });

  it("never matches a policy that looks at a request", () => {
    const header = { header: { name: "x", stringMatch: { prefix: "" } } };
    const policies = { p: { permissions: [header], principals: [{ any: true }] } };
    expect(gate({ rules: { action: "ALLOW", policies } }).connect("10.1.2.3")).toContain("none");
  });
});
