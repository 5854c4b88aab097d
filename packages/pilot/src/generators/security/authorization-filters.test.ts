import { toJson } from "@mixerless/wire";
import { type RBAC, RBACSchema } from "@mixerless/wire/envoy/config/rbac/v3/rbac";
import { describe, expect, it } from "vitest";
import { AROUND } from "./testing/arbitrary-calls.ts";
import type { Surroundings, WrittenPolicy } from "./testing/call.ts";
import { filtersOf, inputOf } from "./testing/translated-verdict.ts";

type Spec = WrittenPolicy["spec"];

function policy(name: string, spec: Spec, annotations: Record<string, string> = {}): WrittenPolicy {
  return { metadata: { name, namespace: "foo", annotations }, spec };
}

function filters(
  policies: readonly WrittenPolicy[],
  transport: "http" | "tcp" = "http",
  around: Surroundings = AROUND,
) {
  return filtersOf(inputOf(policies, around), transport);
}

function json(rules: RBAC | undefined): unknown {
  return rules === undefined ? undefined : toJson(RBACSchema, rules, { declaredNames: true });
}

/** The one policy that a rule becomes. */
function translated(rule: object, transport: "http" | "tcp" = "http", trustDomains = ["td1"], action?: "DENY") {
  const spec = { ...(action && { action }), rules: [rule] } as Spec;
  const [filter] = filters([policy("p", spec)], transport, { ...AROUND, trustDomains });
  return (json(filter?.rules) as { policies?: Record<string, unknown> }).policies?.["ns[foo]-policy[p]-rule[0]"];
}

function source(fields: object, trustDomains?: string[]) {
  const { principals } = translated({ from: [{ source: fields }] }, "http", trustDomains) as { principals: unknown[] };
  return (principals[0] as { and_ids: { ids: unknown[] } }).and_ids.ids;
}

function operation(fields: object) {
  const { permissions } = translated({ to: [{ operation: fields }] }) as { permissions: unknown[] };
  return (permissions[0] as { and_rules: { rules: unknown[] } }).and_rules.rules;
}

function when(key: string, ...values: string[]) {
  const made = translated({ when: [{ key, values }] }) as {
    readonly permissions: readonly { and_rules: { rules: unknown[] } }[];
    readonly principals: readonly { and_ids: { ids: unknown[] } }[];
  };
  const rules = made.permissions[0]?.and_rules.rules;
  const ids = made.principals[0]?.and_ids.ids;
  return { rules, ids };
}

const ANY = [{ any: true }];
const name = (principal_name: object) => ({ authenticated: { principal_name } });
const pattern = (regex: string) => name({ safe_regex: { regex } });
const exact = (value: string) => name({ exact: value });
const oneOf = (...ids: object[]) => ({ or_ids: { ids } });

describe("RBAC filters", () => {
  it("are AUDIT, DENY and ALLOW in this order, all policies of an action in one", () => {
    const made = filters([
      policy("allow-1", { rules: [{}] }),
      policy("deny", { action: "DENY", rules: [{}] }),
      policy("allow-2", { rules: [{}, {}] }),
      policy("audit", { action: "AUDIT", rules: [{}] }),
    ]);
    expect(made.map(({ rules }) => json(rules) as object)).toMatchObject([
      { action: "LOG" },
      { action: "DENY" },
      { policies: {} },
    ]);
    expect(made.map(({ rules }) => Object.keys(rules?.policies ?? {}))).toEqual([
      ["ns[foo]-policy[audit]-rule[0]"],
      ["ns[foo]-policy[deny]-rule[0]"],
      ["ns[foo]-policy[allow-1]-rule[0]", "ns[foo]-policy[allow-2]-rule[0]", "ns[foo]-policy[allow-2]-rule[1]"],
    ]);
    expect(json(made[2]?.rules)).not.toHaveProperty("action");
    expect(new Set(made.map((filter) => filter.name))).toEqual(new Set(["envoy.filters.http.rbac"]));
  });

  it("are none without policies", () => {
    expect(filters([])).toEqual([]);
    expect(filters([], "tcp")).toEqual([]);
  });

  it("match nothing for a policy without rules, and everything for an empty rule", () => {
    expect(json(filters([policy("p", {})])[0]?.rules)).toEqual({
      policies: {
        "ns[foo]-policy[p]-rule[0]": {
          permissions: [{ not_rule: { any: true } }],
          principals: [{ not_id: { any: true } }],
        },
      },
    });
    expect(translated({})).toEqual({
      permissions: [{ and_rules: { rules: ANY } }],
      principals: [{ and_ids: { ids: ANY } }],
    });
  });

  it("keep dry runs among the shadow rules, under the prefix of their action", () => {
    const dry = { "istio.io/dry-run": "true" };
    const [both] = filters([
      policy("p", { rules: [{}] }, dry),
      policy("q", { rules: [{}] }, { "istio.io/dry-run": "false" }),
    ]);
    expect(Object.keys(both?.shadowRules?.policies ?? {})).toEqual(["ns[foo]-policy[p]-rule[0]"]);
    expect(Object.keys(both?.rules?.policies ?? {})).toEqual(["ns[foo]-policy[q]-rule[0]"]);
    expect(both?.shadowPrefix).toBe("istio_dry_run_allow_");
    const [denied] = filters([policy("p", { action: "DENY", rules: [{}] }, dry)]);
    expect(denied).toMatchObject({ rules: undefined, shadowPrefix: "istio_dry_run_deny_" });
    const [enforced] = filters([policy("p", { action: "DENY", rules: [{}] })]);
    expect(enforced).toMatchObject({ shadowRules: undefined, shadowPrefix: "istio_dry_run_allow_" });
  });
});

describe("fields", () => {
  it("of an operation stand in the order host, method, path, port, each with its negation behind it", () => {
    const header = (of: string, string_match: object) => ({ header: { name: of, string_match } });
    const path = (value: object) => ({ url_path: { path: value } });
    expect(
      operation({
        ports: ["80"],
        paths: ["/a", "/b*", "*c", "*"],
        notMethods: ["G*"],
        methods: ["*"],
        hosts: ["A.b", "*.b"],
      }),
    ).toEqual([
      {
        or_rules: {
          rules: [
            header(":authority", { exact: "A.b", ignore_case: true }),
            header(":authority", { suffix: ".b", ignore_case: true }),
          ],
        },
      },
      { or_rules: { rules: [{ header: { name: ":method", present_match: true } }] } },
      { not_rule: { or_rules: { rules: [header(":method", { prefix: "G" })] } } },
      {
        or_rules: {
          rules: [
            path({ exact: "/a" }),
            path({ prefix: "/b" }),
            path({ suffix: "c" }),
            path({ safe_regex: { regex: ".+" } }),
          ],
        },
      },
      { or_rules: { rules: [{ destination_port: 80 }] } },
    ]);
    expect(JSON.stringify(operation({ paths: ["/a/{*}/{**}"] }))).toContain('"path_template":"/a/*/**"');
  });

  it.each([
    [
      { principals: ["td1/ns/foo/sa/a", "td1/*", "*/sa/a.b", "*"] },
      oneOf(
        exact("spiffe://td1/ns/foo/sa/a"),
        name({ prefix: "spiffe://td1/" }),
        pattern("spiffe://.*/sa/a\\.b"),
        pattern(".+"),
      ),
    ],
    [{ notPrincipals: ["other/x"] }, { not_id: oneOf(exact("spiffe://other/x")) }],
    [
      { namespaces: ["a", "b*", "rule[0]"] },
      oneOf(pattern(".*/ns/a/.*"), pattern(".*/ns/b.*/.*"), pattern(".*/ns/rule\\[0\\]/.*")),
    ],
    [
      { serviceAccounts: ["my-ns/my-sa", "sa-only"] },
      oneOf(pattern("spiffe://.+/ns/my-ns/(.+/|)sa/my-sa(/.+)?"), pattern("spiffe://.+/ns/foo/(.+/|)sa/sa-only(/.+)?")),
    ],
    [
      { trustDomains: ["cluster.local", "another.local", "*"] },
      oneOf(
        name({ prefix: "spiffe://cluster.local/" }),
        name({ prefix: "spiffe://another.local/" }),
        name({ prefix: "spiffe://" }),
      ),
    ],
    [
      { notTrustDomains: ["bad*", "untrusted"] },
      { not_id: oneOf(pattern("spiffe://bad[^/]*/.*"), name({ prefix: "spiffe://untrusted/" })) },
    ],
    [
      { ipBlocks: ["10.0.0.1", "10.0.0.0/8"] },
      oneOf(
        { direct_remote_ip: { address_prefix: "10.0.0.1", prefix_len: 32 } },
        { direct_remote_ip: { address_prefix: "10.0.0.0", prefix_len: 8 } },
      ),
    ],
    [{ remoteIpBlocks: ["2001:db8::1"] }, oneOf({ remote_ip: { address_prefix: "2001:db8::1", prefix_len: 128 } })],
  ])("of a source: %j", (fields, expected) => {
    expect(source(fields)).toEqual([expected]);
  });

  it("of a source stand in their order", () => {
    const fields = {
      ipBlocks: ["10.0.0.1"],
      remoteIpBlocks: ["10.0.0.2"],
      namespaces: ["n"],
      trustDomains: ["t"],
      requestPrincipals: ["i/s"],
      principals: ["p"],
    };
    const kinds = source(fields).map(
      (one) => /principal_name|and_ids|remote_ip|direct_remote_ip/.exec(JSON.stringify(one))?.[0],
    );
    expect(kinds).toEqual([
      "principal_name",
      "and_ids",
      "principal_name",
      "principal_name",
      "remote_ip",
      "direct_remote_ip",
    ]);
  });

  it.each([
    ["*", { safe_regex: { regex: ".+" } }, { safe_regex: { regex: ".+" } }],
    ["*/sub", { safe_regex: { regex: ".+" } }, { exact: "sub" }],
    ["*x/sub", { suffix: "x" }, { exact: "sub" }],
    ["*x", { safe_regex: { regex: ".+" } }, { suffix: "x" }],
    ["iss/*", { exact: "iss" }, { safe_regex: { regex: ".+" } }],
    ["iss/p*", { exact: "iss" }, { prefix: "p" }],
    ["p*", { prefix: "p" }, { safe_regex: { regex: ".+" } }],
    ["https://iss/a/sub", { exact: "https://iss/a" }, { exact: "sub" }],
    ["v", { exact: "v" }, { exact: "" }],
  ])("request principal %s", (value, issuer, subject) => {
    const claim = (key: string, string_match: object) => ({
      metadata: {
        filter: "envoy.filters.http.jwt_authn",
        path: [{ key: "payload" }, { key }],
        value: { string_match },
      },
    });
    const both = { and_ids: { ids: [claim("iss", issuer), claim("sub", subject)] } };
    expect(source({ requestPrincipals: [value] })).toEqual([oneOf(both)]);
    expect(when("request.auth.principal", value).ids).toEqual([oneOf(both)]);
  });
});

describe("trust domains", () => {
  it.each([
    [
      ["td1", "cluster.local", "some-td"],
      "some-td/ns/n/sa/s",
      ["td1", "cluster.local", "some-td"].map((td) => exact(`spiffe://${td}/ns/n/sa/s`)),
    ],
    [["td1", "foobar"], "cluster.local/ns/n/sa/s", ["td1", "foobar"].map((td) => exact(`spiffe://${td}/ns/n/sa/s`))],
    [["td1", "foobar"], "*", [pattern(".+")]],
    [["td1", "foobar"], "*/ns/foo/sa/x", [pattern("spiffe://.*/ns/foo/sa/x")]],
    [["td1", "foobar"], "*bar/ns/foo/sa/y", [exact("spiffe://td1/ns/foo/sa/y"), pattern("spiffe://.*bar/ns/foo/sa/y")]],
    [
      ["new-td", "old-td", "some-trustdomain"],
      "*-td/ns/foo/sa/x",
      [pattern("spiffe://.*-td/ns/foo/sa/x"), exact("spiffe://some-trustdomain/ns/foo/sa/x")],
    ],
    [["td1", "foobar"], "evil/ns/foo/sa/x", [exact("spiffe://evil/ns/foo/sa/x")]],
    [["td1", "foobar"], "td1/ns/foo", [exact("spiffe://td1/ns/foo")]],
  ])("%j: principal %s", (domains, value, expected) => {
    expect(source({ principals: [value] }, domains)).toEqual([oneOf(...expected)]);
  });

  it("stand for each other by themselves too", () => {
    expect(source({ trustDomains: ["td1", "old", "x"] }, ["td1", "old"])).toEqual([
      oneOf(...["td1", "old", "x"].map((td) => name({ prefix: `spiffe://${td}/` }))),
    ]);
  });
});

describe("conditions", () => {
  it("stand on the side that they ask about", () => {
    expect(when("destination.ip", "10.0.0.0/8").rules).toEqual([
      { or_rules: { rules: [{ destination_ip: { address_prefix: "10.0.0.0", prefix_len: 8 } }] } },
    ]);
    expect(when("connection.sni", "*").rules).toEqual([
      { or_rules: { rules: [{ requested_server_name: { safe_regex: { regex: ".+" } } }] } },
    ]);
    expect(when("request.headers[X-User]", "a*", "*").ids).toEqual([
      oneOf(
        { header: { name: "X-User", string_match: { prefix: "a" } } },
        { header: { name: "X-User", present_match: true } },
      ),
    ]);
    expect(when("source.namespace", "a")).toEqual({ rules: ANY, ids: [oneOf(pattern(".*/ns/a/.*"))] });
  });

  it("on claims match a text or a member of a list", () => {
    const either = {
      or_match: { value_matchers: [{ string_match: { exact: "x" } }, { string_match: { prefix: "y" } }] },
    };
    expect(when("request.auth.claims[a][b]", "x", "y*").ids).toEqual([
      oneOf({
        metadata: {
          filter: "envoy.filters.http.jwt_authn",
          path: [{ key: "payload" }, { key: "a" }, { key: "b" }],
          value: { or_match: { value_matchers: [{ list_match: { one_of: either } }, either] } },
        },
      }),
    ]);
    expect(JSON.stringify(when("request.auth.audiences", "x").ids)).toContain('"key":"aud"');
    expect(JSON.stringify(when("request.auth.presenter", "x").ids)).toContain('"key":"azp"');
  });

  it("on what filters noted name the filter and the key", () => {
    expect(when("experimental.envoy.filters.network.mysql_proxy[db.table]", "[x]").rules).toEqual([
      {
        or_rules: {
          rules: [
            {
              metadata: {
                filter: "envoy.filters.network.mysql_proxy",
                path: [{ key: "db.table" }],
                value: { list_match: { one_of: { string_match: { exact: "x" } } } },
              },
            },
          ],
        },
      },
    ]);
  });
});

describe("connections without requests", () => {
  const HTTP = { requestPrincipals: ["*"] };
  const anything = { permissions: [{ and_rules: { rules: ANY } }], principals: [{ and_ids: { ids: ANY } }] };

  it("are denied more by a rule that asks for HTTP as well", () => {
    const both = { from: [{ source: HTTP }], to: [{ operation: { methods: ["GET"] } }] };
    expect(translated(both, "tcp", ["td1"], "DENY")).toEqual(anything);
    const rest = {
      from: [{ source: { namespaces: ["a"] } }],
      to: [{ operation: { ports: ["8080"], methods: ["GET"] } }],
    };
    expect(translated(rest, "tcp", ["td1"], "DENY")).toEqual({
      permissions: [{ and_rules: { rules: [{ or_rules: { rules: [{ destination_port: 8080 }] } }] } }],
      principals: [{ and_ids: { ids: [oneOf(pattern(".*/ns/a/.*"))] } }],
    });
  });

  it("are never allowed by such a rule; the others keep their numbers", () => {
    const rules = [
      { to: [{ operation: { paths: ["/"] } }] },
      { from: [{ source: HTTP }] },
      { when: [{ key: "request.headers[a]", values: ["b"] }] },
    ];
    const [some] = filters([policy("p", { rules: [...rules, {}] })], "tcp");
    expect(some).toMatchObject({ name: "envoy.filters.network.rbac", statPrefix: "tcp." });
    expect(Object.keys(some?.rules?.policies ?? {})).toEqual(["ns[foo]-policy[p]-rule[3]"]);
    const [none] = filters([policy("p", { rules })], "tcp");
    expect(json(none?.rules)).toEqual({});
  });
});

describe("CUSTOM policies", () => {
  const custom = (provider: string): Spec => ({ action: "CUSTOM", provider: { name: provider }, rules: [{}] });

  it("deny what they match, a filter for each provider, before all else", () => {
    const made = filters([
      policy("b", custom("default")),
      policy("a", custom("another")),
      policy("d", { action: "DENY", rules: [{}] }),
    ]);
    expect(made.map(({ rules }) => [rules?.action, Object.keys(rules?.policies ?? {})])).toEqual([
      [1, ["istio-ext-authz-another-ns[foo]-policy[a]-rule[0]-deny-due-to-bad-CUSTOM-action"]],
      [1, ["istio-ext-authz-default-ns[foo]-policy[b]-rule[0]-deny-due-to-bad-CUSTOM-action"]],
      [1, ["ns[foo]-policy[d]-rule[0]"]],
    ]);
  });

  it("ask nobody about connections where their provider judges requests", () => {
    const provider = (name: string, type: string) => ({ name, [type]: { service: "authz", port: 9000 } });
    const extensionProviders = [provider("by-http", "envoyExtAuthzHttp"), provider("by-grpc", "envoyExtAuthzGrpc")];
    const made = filtersOf(
      inputOf([policy("a", custom("by-http")), policy("b", custom("by-grpc"))], AROUND, { extensionProviders }),
      "tcp",
    );
    expect(made.map(({ rules }) => Object.keys(rules?.policies ?? {}))).toEqual([
      ["istio-ext-authz-by-grpc-ns[foo]-policy[b]-rule[0]-deny-due-to-bad-CUSTOM-action"],
    ]);
  });

  it("on trial only shadow", () => {
    const [filter] = filters([policy("p", custom("x"), { "istio.io/dry-run": "true" })]);
    expect(filter).toMatchObject({ rules: undefined, shadowPrefix: "istio_ext_authz_" });
    expect(Object.keys(filter?.shadowRules?.policies ?? {})).toEqual(["istio-ext-authz-x-ns[foo]-policy[p]-rule[0]"]);
  });
});
