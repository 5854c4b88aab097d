import { decodeJson, formatFault } from "@mixerless/wire";
import { RBACSchema } from "@mixerless/wire/envoy/config/rbac/v3/rbac";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PolicyFacts } from "./facts.ts";
import { compileRuleSet } from "./rule-set.ts";
import { factsOf, type GivenFacts } from "./testing/facts.ts";

type Json = Record<string, unknown>;

function compile(rbac: Json) {
  const decoded = decodeJson(RBACSchema, rbac);
  if (decoded.faults !== undefined) throw new Error(decoded.faults.map(formatFault).join("\n"));
  const faults: { path: string; message: string }[] = [];
  const rules = compileRuleSet(decoded.message, "rules", { headerKey: (name: string) => name, faults });
  return { rules, faults };
}

function rules(policies: Json, action = "ALLOW") {
  const { rules: compiled, faults } = compile({ action, policies });
  expect(faults).toEqual([]);
  return compiled;
}

const ANY = { any: true };
const name = (exact: string) => ({ authenticated: { principalName: { exact } } });
const namespace = (ns: string) => ({ authenticated: { principalName: { safeRegex: { regex: `.*/ns/${ns}/.*` } } } });
const REVIEWS = "spiffe://cluster.local/ns/default/sa/reviews";
const peer = (...uriSans: string[]): GivenFacts => ({ peer: { uriSans } });

/** The verdict on one policy of one permission and one principal. */
function matches(permission: Json, principal: Json, given: GivenFacts): boolean {
  const one = rules({ p: { permissions: [permission], principals: [principal] } });
  return one.decide(factsOf(given)).policy === "p";
}

describe("a set of rules", () => {
  const some = { only: { permissions: [ANY], principals: [name(REVIEWS)] } };

  it.each([
    ["ALLOW", true, false],
    ["DENY", false, true],
    ["LOG", true, true],
  ])("of action %s lets pass: what matches %s, what does not %s", (action, matching, other) => {
    const compiled = rules(some, action);
    expect(compiled.decide(factsOf(peer(REVIEWS)))).toEqual({ allowed: matching, policy: "only" });
    expect(compiled.decide(factsOf(peer("spiffe://a/ns/b/sa/c")))).toEqual({ allowed: other, policy: null });
  });

  it("without policies allows nothing and denies nothing", () => {
    expect(rules({}).decide(factsOf({})).allowed).toBe(false);
    expect(rules({}, "DENY").decide(factsOf({})).allowed).toBe(true);
  });

  it("names the first policy that matches, in the order of their names", () => {
    const policy = { permissions: [ANY], principals: [name(REVIEWS)] };
    const open = { permissions: [ANY], principals: [ANY] };
    expect(rules({ b: policy, a: open, c: policy }).decide(factsOf(peer(REVIEWS))).policy).toBe("a");
    expect(rules({ b: open, a: policy }).decide(factsOf(peer(REVIEWS))).policy).toBe("a");
    expect(rules({ b: open, a: policy }).decide(factsOf({})).policy).toBe("b");
    expect(rules({ Z: policy, a: policy }).policies).toEqual(["Z", "a"]);
  });

  it("that cannot be compiled says where", () => {
    const bad = { permissions: [{ urlPath: { path: { safeRegex: { regex: "(" } } } }], principals: [] };
    const { faults } = compile({ policies: { 'ns["x"]': bad } });
    expect(faults.map(({ path }) => path)).toEqual([
      'rules.policies["ns["x"]"].principals',
      'rules.policies["ns["x"]"].permissions[0].urlPath.path.safeRegex.regex',
    ]);
  });
});

describe("a permission", () => {
  const may = (permission: Json, given: GivenFacts) => matches(permission, ANY, given);

  it.each<[string, Json, GivenFacts, GivenFacts]>([
    ["header", { header: { name: ":method", stringMatch: { exact: "GET" } } }, { headers: { ":method": "GET" } }, {}],
    [
      "host by any of its names",
      { header: { name: "Host", stringMatch: { exact: "a" } } },
      { headers: { ":authority": "a" } },
      { headers: { ":authority": "b" } },
    ],
    ["path", { urlPath: { path: { prefix: "/a/" } } }, { path: "/a/b" }, { path: "/ab" }],
    ["destination address", { destinationIp: cidr("10.0.0.0", 24) }, {}, { destinationIp: "10.0.1.2" }],
    ["port", { destinationPort: 80 }, {}, { destinationPort: 81 }],
    ["port range", { destinationPortRange: { start: 80, end: 82 } }, { destinationPort: 81 }, { destinationPort: 82 }],
    [
      "SNI",
      { requestedServerName: { suffix: ".local" } },
      { requestedServerName: "a.local" },
      { requestedServerName: "" },
    ],
    ["not", { notRule: { destinationPort: 81 } }, {}, { destinationPort: 81 }],
    [
      "and",
      { andRules: { rules: [{ destinationPort: 80 }, { urlPath: { path: { exact: "/" } } }] } },
      {},
      { path: "/a" },
    ],
    [
      "or",
      { orRules: { rules: [{ destinationPort: 81 }, { urlPath: { path: { exact: "/" } } }] } },
      {},
      { path: "/a" },
    ],
    [
      "metadata",
      {
        metadata: {
          filter: "jwt",
          path: [{ key: "payload" }, { key: "iss" }],
          value: { stringMatch: { exact: "me" } },
        },
      },
      { metadata: { jwt: { payload: { iss: "me" } } } },
      { metadata: { jwt: { payload: {} } } },
    ],
    [
      "a member of a list in metadata",
      {
        metadata: {
          filter: "jwt",
          path: [{ key: "aud" }],
          value: { listMatch: { oneOf: { stringMatch: { prefix: "b" } } } },
        },
      },
      { metadata: { jwt: { aud: ["a", "bc"] } } },
      { metadata: { jwt: { aud: "bc" } } },
    ],
  ])("by %s", (_what, permission, yes, no) => {
    expect([may(permission, yes), may(permission, no)]).toEqual([true, false]);
  });

  it.each([
    ["/a/{*}/c", "/a/*/c", ["/a/b/c"], ["/a/c", "/a/b/b/c", "/a//c", "/a/b/c/"]],
    ["/a/{**}", "/a/**", ["/a/b", "/a/b/c", "/a/"], ["/a", "/b/a"]],
    ["/{**}/c", "/**/c", ["/a/c", "/a/b/c"], ["/c/a", "/ac"]],
  ])("by a path template such as %s", (_istio, pathTemplate, yes, no) => {
    const typedConfig = {
      "@type": "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
      pathTemplate,
    };
    const permission = { uriTemplate: { name: "uri-template", typedConfig } };
    expect(yes.filter((path) => !may(permission, { path }))).toEqual([]);
    expect(no.filter((path) => may(permission, { path }))).toEqual([]);
  });
});

it("asks nothing of a policy that names another path or another caller", () => {
  const header = { header: { name: "x", stringMatch: { exact: "y" } } };
  const elsewhere = { andRules: { rules: [header, { urlPath: { path: { exact: "/other" } } }] } };
  const compiled = rules(
    {
      path: { permissions: [elsewhere], principals: [ANY] },
      caller: { permissions: [ANY], principals: [{ andIds: { ids: [header, name("other")] } }] },
    },
    "DENY",
  );
  let asked = 0;
  const facts = factsOf({ path: "/a", peer: { uriSans: [REVIEWS] } });
  const counting = {
    ...facts,
    headers: () => {
      asked++;
      return ["y"];
    },
  };
  expect(compiled.decide(counting)).toEqual({ allowed: true, policy: null });
  expect(asked).toBe(0);
  expect(compiled.decide({ ...counting, path: "/other" })).toEqual({ allowed: false, policy: "path" });
});

describe("a principal", () => {
  const is = (principal: Json, given: GivenFacts) => matches(ANY, principal, given);

  it.each<[string, Json, GivenFacts, GivenFacts]>([
    ["any certificate", { authenticated: {} }, peer(REVIEWS), {}],
    ["name", name(REVIEWS), peer("x", REVIEWS), peer(`${REVIEWS}2`)],
    ["namespace", namespace("default"), peer(REVIEWS), peer("spiffe://td/ns/default2/sa/x")],
    // A namespace called ns: the pattern finds two in such a name.
    ["namespace", namespace("sa"), peer("spiffe://td/ns/ns/sa/x"), peer("spiffe://td/ns/x/sa/ns")],
    [
      "DNS name where there is no URI",
      name("a"),
      { peer: { dnsSans: ["a"] } },
      { peer: { uriSans: ["b"], dnsSans: ["a"] } },
    ],
    [
      "subject where there is no other name",
      name("CN=a"),
      { peer: { subject: "CN=a" } },
      { peer: { dnsSans: ["b"], subject: "CN=a" } },
    ],
    ["direct address", { directRemoteIp: cidr("10.0.0.1", 32) }, {}, { directRemoteIp: "10.0.0.9" }],
    ["address that is asking", { remoteIp: cidr("9.0.0.0", 8) }, { remoteIp: "9.1.1.1" }, {}],
    [
      "IPv4 address written as IPv6",
      { remoteIp: cidr("9.0.0.0", 8) },
      { remoteIp: "::ffff:9.1.1.1" },
      { remoteIp: "::1" },
    ],
    ["not", { notId: name(REVIEWS) }, {}, peer(REVIEWS)],
    [
      "and",
      { andIds: { ids: [name(REVIEWS), { remoteIp: cidr("10.0.0.1", 32) }] } },
      peer(REVIEWS),
      { ...peer(REVIEWS), remoteIp: "1.1.1.1" },
    ],
    ["or", { orIds: { ids: [name("a"), name(REVIEWS)] } }, peer(REVIEWS), peer("b")],
  ])("by %s", (_what, principal, yes, no) => {
    expect([is(principal, yes), is(principal, no)]).toEqual([true, false]);
  });

  it("is not proven without a certificate, whatever a pattern would match", () => {
    expect(is({ authenticated: { principalName: { safeRegex: { regex: ".*" } } } }, {})).toBe(false);
  });
});

function cidr(addressPrefix: string, prefixLen: number) {
  return { addressPrefix, prefixLen };
}

describe("the index of policies", () => {
  const NAMES = [REVIEWS, "spiffe://td/ns/a/sa/b", "spiffe://td/ns/b/sa/a"];
  const PATHS = ["/", "/a", "/b"];
  const leaf = fc.oneof(
    fc.constantFrom(...NAMES).map((exact) => name(exact) as Json),
    fc.constantFrom("default", "a", "b").map((ns) => namespace(ns) as Json),
    fc.constantFrom<Json>(ANY, { authenticated: {} }, { directRemoteIp: cidr("10.0.0.1", 32) }),
  );
  const principal = fc.oneof(
    leaf,
    fc.array(leaf, { minLength: 1, maxLength: 3 }).map((ids): Json => ({ andIds: { ids } })),
    fc.array(leaf, { minLength: 1, maxLength: 3 }).map((ids): Json => ({ orIds: { ids } })),
    leaf.map((id): Json => ({ notId: id })),
  );
  const rule = fc.oneof(
    fc.constantFrom(...PATHS).map((exact): Json => ({ urlPath: { path: { exact } } })),
    fc.constantFrom<Json>(ANY, { destinationPort: 80 }, { urlPath: { path: { exact: "/A", ignoreCase: true } } }),
  );
  const policy = fc.record({
    permissions: fc.array(rule, { minLength: 1, maxLength: 3 }),
    principals: fc.array(principal, { minLength: 1, maxLength: 3 }),
  });
  const given = fc.record({
    path: fc.constantFrom(...PATHS),
    peer: fc.option(fc.record({ uriSans: fc.subarray(NAMES) }), { nil: null }),
  });

  /** The same question, answered from the message itself. */
  function holds(
    { permissions, principals }: { permissions: Json[]; principals: Json[] },
    facts: PolicyFacts,
  ): boolean {
    return permissions.some((one) => permits(one, facts)) && principals.some((one) => isBy(one, facts));
  }

  function permits(permission: Json, { path, destinationPort }: PolicyFacts): boolean {
    if ("any" in permission) return true;
    if ("destinationPort" in permission) return destinationPort === permission.destinationPort;
    const { exact, ignoreCase } = (permission.urlPath as { path: { exact: string; ignoreCase?: boolean } }).path;
    return ignoreCase === true ? path.toLowerCase() === exact.toLowerCase() : path === exact;
  }

  function isBy(one: Json, facts: PolicyFacts): boolean {
    if ("any" in one) return true;
    if ("andIds" in one) return (one.andIds as { ids: Json[] }).ids.every((id) => isBy(id, facts));
    if ("orIds" in one) return (one.orIds as { ids: Json[] }).ids.some((id) => isBy(id, facts));
    if ("notId" in one) return !isBy(one.notId as Json, facts);
    if ("directRemoteIp" in one) return facts.directRemoteIp === "10.0.0.1";
    const { principalName } = one.authenticated as {
      principalName?: { exact?: string; safeRegex?: { regex: string } };
    };
    if (facts.peer === null) return false;
    if (principalName === undefined) return true;
    const names = facts.peer.uriSans.length > 0 ? facts.peer.uriSans : [facts.peer.subject];
    const { exact, safeRegex } = principalName;
    return names.some((uri) => (exact === undefined ? new RegExp(`^${safeRegex?.regex}$`).test(uri) : uri === exact));
  }

  it("finds what trying every policy in turn finds", () => {
    fc.assert(
      fc.property(fc.array(policy, { maxLength: 8 }), given, (policies, request) => {
        const all = Object.fromEntries(policies.map((one, i) => [`p${i}`, one]));
        const facts = factsOf(request);
        const first = policies.findIndex((one) => holds(one, facts));
        expect(rules(all).decide(facts).policy).toBe(first < 0 ? null : `p${first}`);
      }),
      { numRuns: 500 },
    );
  });

  it("tries few of a thousand policies", () => {
    const many = Object.fromEntries(
      Array.from({ length: 1000 }, (_, i) => [
        `p${i}`,
        {
          permissions: [{ header: { name: "x", presentMatch: true } }],
          principals: [name(`spiffe://td/ns/n/sa/s${i}`)],
        },
      ]),
    );
    const compiled = rules(many);
    let asked = 0;
    const facts = factsOf(peer("spiffe://td/ns/n/sa/s500"));
    const counting = {
      ...facts,
      headers: () => {
        asked++;
        return [];
      },
    };
    expect([compiled.decide(counting).policy, asked]).toEqual([null, 1]);
  });
});
