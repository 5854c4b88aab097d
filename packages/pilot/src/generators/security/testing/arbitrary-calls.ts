// Policies and calls made of few words, so that they meet often.
import fc from "fast-check";
import type { Call, HttpCall, Lists, Surroundings, WrittenPolicy, WrittenRule } from "./call.ts";

export const AROUND: Surroundings = {
  rootNamespace: "istio-system",
  trustDomains: ["td1", "old-td", "new-td"],
  workload: { namespace: "foo", labels: { app: "judged", version: "v1" } },
};

const ADDRESSES = ["10.0.0.1", "10.0.1.1", "192.168.7.7", "2001:db8::1"];
const RANGES = [
  "10.0.0.1",
  "10.0.0.0/16",
  "10.0.0.0/24",
  "192.168.0.0/16",
  "2001:db8::/32",
  "2001:db8::1",
  "0.0.0.0/0",
];
const NAMES = [
  "td1/ns/foo/sa/a",
  "old-td/ns/foo/sa/a",
  "cluster.local/ns/bar/sa/b",
  "evil/ns/foo/sa/a",
  "*-td/ns/foo/sa/a",
  "*l/ns/bar/sa/b",
  "td1/ns/foo/sa/a*",
  "td1/ns/foo/*",
  "cluster.local/ns/*",
  "*/ns/bar/sa/b",
  "*/sa/a",
  "*",
];
const NAMESPACES = ["foo", "bar", "*", "f*", "*r", "b*r", "foo.", "[fo]oo"];
const ACCOUNTS = ["a", "foo/a", "bar/b", "b", "foo/a.b"];
const DOMAINS = ["td1", "old-td", "evil", "*", "*-td", "td*", "new-td"];
const TOKENS = ["*", "iss/sub", "*/sub", "*ss/sub", "*ub", "iss/*", "iss/s*", "is*", "iss", "a/iss/sub", "*/*"];
const HOSTS = ["shop.example", "SHOP.example", "*.example", "shop*", "*", "shop.example:80"];
const METHODS = ["GET", "POST", "G*", "*T", "*", "get"];
const PATHS = ["/", "/a", "/a/b", "/a*", "*b", "*", "/a/{*}", "/a/{**}", "/{*}/b", "/{**}/b", "/a.b", "/*/b"];
const PORTS = ["80", "443", "8080"];

const SOURCE = {
  principals: NAMES,
  requestPrincipals: TOKENS,
  namespaces: NAMESPACES,
  serviceAccounts: ACCOUNTS,
  trustDomains: DOMAINS,
  ipBlocks: RANGES,
  remoteIpBlocks: RANGES,
};
const OPERATION = { hosts: HOSTS, methods: METHODS, paths: PATHS, ports: PORTS };
const IDENTITY = ["principals", "requestPrincipals", "namespaces", "serviceAccounts", "trustDomains"];

const PLAIN_CONDITIONS: Lists = {
  "request.headers[x-user]": ["ann", "a*", "*nn", "*"],
  "source.ip": [...RANGES, "10.0.0.0/99"],
  "remote.ip": [...RANGES, "somewhere"],
  "destination.ip": RANGES,
  "destination.port": [...PORTS, "http"],
  "connection.sni": ["shop.example", "*.example", "*"],
  "experimental.envoy.filters.network.mysql_proxy[db]": ["sales", "[sales]", "s*", "[*]"],
};
const IDENTITY_CONDITIONS: Lists = {
  "source.namespace": NAMESPACES,
  "source.principal": NAMES,
  "source.serviceAccount": ACCOUNTS,
  "source.trustDomain": DOMAINS,
  "request.auth.principal": TOKENS,
  "request.auth.audiences": ["shop", "s*", "*"],
  "request.auth.presenter": ["web", "*b", "*"],
  "request.auth.claims[role]": ["admin", "a*", "*"],
  "request.auth.claims[nested][role]": ["admin", "*"],
};

function some(words: readonly string[]): fc.Arbitrary<string[]> {
  return fc.uniqueArray(fc.constantFrom(...words), { minLength: 1, maxLength: 3 });
}

/** One to three fields of a source or operation, each as it is or negated. */
function fieldsOf(pools: Lists): fc.Arbitrary<Lists> {
  const one = fc.constantFrom(...Object.keys(pools)).chain((field) =>
    fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 3 }), some(pools[field] ?? [])).map(([, dice, values]) => {
      const not = `not${field.charAt(0).toUpperCase()}${field.slice(1)}`;
      return [dice === 0 ? not : field, values] as const;
    }),
  );
  return fc.array(one, { minLength: 1, maxLength: 3 }).map((fields) => Object.fromEntries(fields));
}

/** Istio takes service accounts only without the other two ways to name a caller. */
function isSource(source: Lists): boolean {
  const names = Object.keys(source).map((field) => field.replace(/^not/, "").toLowerCase());
  return !names.includes("serviceaccounts") || !(names.includes("principals") || names.includes("namespaces"));
}

function conditionsOf(pools: Lists): fc.Arbitrary<NonNullable<WrittenRule["when"]>> {
  const one = fc.constantFrom(...Object.keys(pools)).chain((key) => {
    const values = some(pools[key] ?? []);
    return fc.oneof(
      { weight: 3, arbitrary: values.map((entry) => ({ key, values: entry })) },
      { weight: 1, arbitrary: values.map((entry) => ({ key, notValues: entry })) },
      { weight: 1, arbitrary: fc.record({ key: fc.constant(key), values, notValues: values }) },
    );
  });
  return fc.array(one, { minLength: 1, maxLength: 2 });
}

function ruleOf(source: Lists, conditions: Lists): fc.Arbitrary<WrittenRule> {
  const from = fc.array(
    fieldsOf(source)
      .filter(isSource)
      .map((entry) => ({ source: entry })),
    { minLength: 1, maxLength: 2 },
  );
  const to = fc.array(
    fieldsOf(OPERATION).map((entry) => ({ operation: entry })),
    { minLength: 1, maxLength: 2 },
  );
  return fc.record({ from, to, when: conditionsOf(conditions) }, { requiredKeys: [] });
}

function withoutIdentity(pools: Lists): Lists {
  return Object.fromEntries(Object.entries(pools).filter(([field]) => !IDENTITY.includes(field)));
}

const anyRule = ruleOf(SOURCE, { ...PLAIN_CONDITIONS, ...IDENTITY_CONDITIONS });
const customRule = ruleOf(withoutIdentity(SOURCE), PLAIN_CONDITIONS);

const spec: fc.Arbitrary<WrittenPolicy["spec"]> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ rules: fc.array(anyRule, { maxLength: 3 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      action: fc.constant("DENY" as const),
      rules: fc.array(anyRule, { minLength: 1, maxLength: 2 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ action: fc.constant("AUDIT" as const), rules: fc.array(anyRule, { maxLength: 2 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      action: fc.constant("CUSTOM" as const),
      provider: fc.constant({ name: "authorizer" }),
      rules: fc.array(customRule, { minLength: 1, maxLength: 2 }),
    }),
  },
);

const policy = fc.record({
  namespace: fc.constantFrom("foo", "foo", "foo", "istio-system", "elsewhere"),
  matchLabels: fc.constantFrom({}, {}, { app: "judged" }, { app: "judged", version: "v2" }),
  annotations: fc.constantFrom({}, {}, {}, {}, { "istio.io/dry-run": "true" }, { "istio.io/dry-run": "false" }),
  spec,
});

/** One to three policies, of which some apply to the workload of {@link AROUND}. */
export const policies: fc.Arbitrary<WrittenPolicy[]> = fc.array(policy, { minLength: 1, maxLength: 3 }).map((entries) =>
  entries.map(({ namespace, matchLabels, annotations, spec }, i) => ({
    metadata: { name: `p${i}`, namespace, annotations },
    spec: Object.keys(matchLabels).length === 0 ? spec : { ...spec, selector: { matchLabels } },
  })),
);

const token: fc.Arbitrary<HttpCall["token"]> = fc.option(
  fc.record(
    {
      iss: fc.constantFrom("iss", "a/iss", "miss", ""),
      sub: fc.constantFrom("sub", "hub", "s", ""),
      aud: fc.constantFrom<unknown>("shop", ["x", "shop"], [], 5),
      azp: fc.constantFrom("web", "app"),
      role: fc.constantFrom<unknown>("admin", ["admin", "user"], "user", true),
      nested: fc.constantFrom({ role: "admin" }, { role: ["user"] }, {}),
    },
    { requiredKeys: ["iss", "sub"] },
  ),
);

/** Only what a segment may hold: for other characters the templates of Envoy have an opinion of their own. */
const http: fc.Arbitrary<HttpCall> = fc.record({
  method: fc.constantFrom("GET", "POST", "PUT"),
  host: fc.constantFrom("shop.example", "Shop.Example", "shop.example:80", "other.example"),
  path: fc.constantFrom("/", "/a", "/a/b", "/a/", "/a/b/c", "/x/b", "/a?x=/b", "/axb", "/a.b", "/b"),
  headers: fc.constantFrom<HttpCall["headers"]>({}, { "x-user": "ann" }, { "x-user": "bob" }, { "x-user": "" }),
  token,
  notes: fc.constantFrom<HttpCall["notes"]>(
    {},
    { "envoy.filters.network.mysql_proxy": { db: "sales" } },
    { "envoy.filters.network.mysql_proxy": { db: ["sales", "other"] } },
  ),
});

export const calls: fc.Arbitrary<Call> = fc.record({
  http: fc.option(http, { freq: 4 }),
  sourceIp: fc.constantFrom(...ADDRESSES),
  remoteIp: fc.constantFrom(...ADDRESSES),
  destinationIp: fc.constantFrom("10.0.0.1", "10.0.1.1"),
  destinationPort: fc.constantFrom(80, 443, 9999),
  sni: fc.constantFrom("", "shop.example", "a.example"),
  peer: fc.option(
    fc.record({
      trustDomain: fc.constantFrom("td1", "old-td", "other-td", "evil", "cluster.local"),
      namespace: fc.constantFrom("foo", "foo", "bar", "x-td"),
      account: fc.constantFrom("a", "b"),
    }),
    { freq: 5 },
  ),
});
