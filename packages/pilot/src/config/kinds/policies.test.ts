import { describe, expect, test } from "vitest";
import { errors, read, verdicts } from "../testing/verdicts.ts";

describe("PeerAuthentication", () => {
  const peer = (text: string) => errors("PeerAuthentication", text);

  test("is read into its normal form", () => {
    const { spec } = read(
      "PeerAuthentication",
      "selector: {matchLabels: {a: b}}\nmtls: {mode: STRICT}\nportLevelMtls: {8080: {mode: DISABLE}}",
    );
    expect(spec).toEqual({ selector: { labels: { a: "b" } }, mode: "STRICT", portLevelMtls: { 8080: "DISABLE" } });
  });

  test.each([
    ["mtls: {mode: BLAH}", "unknown-value spec.mtls.mode"],
    ["selector: {matchLabels: {a: b}}\nportLevelMtls: {x: {mode: STRICT}}", "bad-port spec.portLevelMtls.x"],
    ["selector: {matchLabels: {a: b}}\nportLevelMtls: {}", "wrong-count spec.portLevelMtls"],
    ["selector: {matchLabels: {a: b}}\nportLevelMtls: {0: {}}", 'bad-port spec.portLevelMtls["0"]'],
    ["selector: {matchLabels: {a: b}}\nportLevelMtls: {65536: {}}", 'bad-port spec.portLevelMtls["65536"]'],
    ["portLevelMtls: {80: {mode: STRICT}}", "port-without-selector spec"],
    ["selector: {matchLabels: {}}\nportLevelMtls: {80: {mode: STRICT}}", "port-without-selector spec"],
  ])("%j is refused", (text, fault) => expect(peer(text)).toEqual([fault]));
});

describe("RequestAuthentication", () => {
  const rule = (text: string) => errors("RequestAuthentication", `jwtRules: [${text}]`);
  const J = "spec.jwtRules[0]";

  test.each([
    ["null", `empty-entry ${J}`],
    ["{}", `missing-field ${J}`],
    ['{issuer: a, audiences: [""]}', `empty-text ${J}.audiences[0]`],
    ["{issuer: a, jwksUri: www.a.com}", `bad-url ${J}.jwksUri`],
    ["{issuer: a, fromHeaders: [{prefix: x}]}", `missing-field ${J}.fromHeaders[0]`],
    [
      '{issuer: a, outputClaimToHeaders: [{header: "a b", claim: c}]}',
      `bad-header ${J}.outputClaimToHeaders[0].header`,
    ],
    ["{issuer: a, timeout: 0s}", `bad-duration ${J}.timeout`],
    ["{issuer: a, jwks: '{}'}", `bad-key-set ${J}.jwks`],
    ["{issuer: a, jwksUri: 'https://a.com', jwks: '{\"keys\": []}'}", `several-alternatives ${J}`],
  ])("%s is refused", (text, fault) => expect(rule(text)).toEqual([fault]));

  test("the old spelling jwks_uri counts, private keys draw a warning", () => {
    const { spec } = read("RequestAuthentication", "jwtRules: [{issuer: a, jwks_uri: 'https://a.com'}]");
    expect(spec.jwtRules[0]?.jwksUri).toBe("https://a.com");
    expect(verdicts("RequestAuthentication", 'jwtRules: [{issuer: a, jwks: \'{"keys": [{"d": "x"}]}\'}]')).toEqual([
      `warning private-key ${J}.jwks`,
    ]);
  });
});

describe("WasmPlugin", () => {
  const plugin = (text: string) => errors("WasmPlugin", text);

  test.each(["oci://a.com/b", "a.com/b:v1", "file:///x.wasm", "https://a.com/x"])("url %s is allowed", (url) => {
    expect(plugin(`url: ${url}`)).toEqual([]);
  });

  test.each([
    ["phase: AUTHN", "missing-field spec"],
    ["url: ftp://a.com", "bad-url spec.url"],
    ["url: a\nsha256: XYZ", "bad-digest spec.sha256"],
    ["url: a\nvmConfig: {env: [{name: x}, {name: x}]}", "repeated-name spec.vmConfig.env[1]"],
    ["url: a\nvmConfig: {env: [{name: x, valueFrom: HOST, value: y}]}", "value-not-allowed spec.vmConfig.env[0].value"],
    ["url: a\nmatch: [{ports: [{number: 0}]}]", "out-of-range spec.match[0].ports[0].number"],
    [`url: a\npluginName: ${"x".repeat(257)}`, "bad-length spec.pluginName"],
    ["url: a\nselector: {matchLabels: {a: b}}\ntargetRefs: [{kind: Service, name: s}]", "several-attachments spec"],
    ["url: a\ntargetRef: {kind: Pod, name: s}", "bad-target spec.targetRef"],
    ["url: a\ntargetRef: {kind: Service, name: s, namespace: n}", "bad-target spec.targetRef.namespace"],
  ])("%j is refused", (text, fault) => expect(plugin(text)).toEqual([fault]));
});

describe("Telemetry", () => {
  const telemetry = (text: string) => verdicts("Telemetry", text);
  const FILTER = "spec.accessLogging[0].filter.expression";
  const TAG = "spec.metrics[0].overrides[0].tagOverrides.a.value";

  test("is read into its normal form", () => {
    const { spec } = read(
      "Telemetry",
      "metrics: [{providers: [{name: prometheus}], overrides: [{tagOverrides: {a: {value: 'x'}}}]}]",
    );
    expect(spec.metrics[0]).toEqual({
      providers: ["prometheus"],
      overrides: [
        {
          metric: "ALL_METRICS",
          custom: false,
          mode: "CLIENT_AND_SERVER",
          tagOverrides: { a: { operation: "UPSERT", value: "x" } },
        },
      ],
    });
  });

  test.each([
    ['metrics: [{providers: [{name: ""}]}]', "error empty-text spec.metrics[0].providers[0].name"],
    [
      "metrics: [{overrides: [{tagOverrides: {a: {}}}]}]",
      "error missing-field spec.metrics[0].overrides[0].tagOverrides.a",
    ],
    [
      "metrics: [{overrides: [{tagOverrides: {a: null}}]}]",
      "error empty-entry spec.metrics[0].overrides[0].tagOverrides.a",
    ],
    [
      "metrics: [{overrides: [{tagOverrides: {a: {operation: REMOVE, value: x}}}]}]",
      "error value-not-allowed spec.metrics[0].overrides[0].tagOverrides.a",
    ],
    [
      "metrics: [{overrides: [{match: {metric: REQUEST_COUNT, customMetric: x}}]}]",
      "error several-alternatives spec.metrics[0].overrides[0].match",
    ],
    ["tracing: [{randomSamplingPercentage: 101}]", "error out-of-range spec.tracing[0].randomSamplingPercentage"],
    ["tracing: [{customTags: {a: {}}}]", "error bad-tag spec.tracing[0].customTags.a"],
    [
      'tracing: [{customTags: {a: {literal: {value: ""}}}}]',
      "error empty-text spec.tracing[0].customTags.a.literal.value",
    ],
    ['accessLogging: [{filter: {expression: "response.code =="}}]', `error bad-expression ${FILTER}`],
    ['accessLogging: [{filter: {expression: "lenght(request.path) > 1"}}]', `error bad-expression ${FILTER}`],
    ['accessLogging: [{filter: {expression: "response.code"}}]', `warning not-a-condition ${FILTER}`],
    ['accessLogging: [{filter: {expression: "response.cod >= 400"}}]', `warning doubtful-expression ${FILTER}`],
    ["accessLogging: [{filter: {expression: \"response.code >= '400'\"}}]", `warning doubtful-expression ${FILTER}`],
    ['metrics: [{overrides: [{tagOverrides: {a: {value: "request."}}}]}]', `error bad-expression ${TAG}`],
    ["metrics: [{overrides: [{tagOverrides: {a: {value: nowhere}}}]}]", `warning doubtful-expression ${TAG}`],
    [
      "metrics: [{overrides: [{tagOverrides: {a: {value: request.headers}}}]}]",
      `warning unprintable-expression ${TAG}`,
    ],
    ["tracing: [{}, {}]", "warning multiple-tracing spec.tracing"],
    ["tracing: [{providers: [{name: a}, {name: b}]}]", "warning multiple-providers spec.tracing[0].providers"],
  ])("%j is reported", (text, fault) => expect(telemetry(text)).toEqual([fault]));
});

describe("AuthorizationPolicy", () => {
  const policy = (text: string) => verdicts("AuthorizationPolicy", text);
  const from = (text: string) => policy(`rules: [{from: [{source: {${text}}}]}]`);
  const to = (text: string) => policy(`rules: [{to: [{operation: {${text}}}]}]`);
  const SOURCE = "spec.rules[0].from[0].source";
  const OPERATION = "spec.rules[0].to[0].operation";

  test("allow-nothing, allow-all and rules are accepted", () => {
    expect(policy("")).toEqual([]);
    expect(policy("rules: [{}]")).toEqual([]);
    expect(from('namespaces: [a], ipBlocks: [10.0.0.0/8], notPrincipals: ["*"]')).toEqual([]);
    expect(to('paths: ["/a/{*}/{**}", "/x*"], ports: ["80"], methods: [GET]')).toEqual([]);
    expect(policy('rules: [{when: [{key: "request.headers[x-a]", values: [b]}]}]')).toEqual([]);
  });

  test.each([
    ["action: DENY", "error missing-field spec"],
    ["provider: {name: x}\nrules: [{}]", "error bad-provider spec.provider"],
    ["action: CUSTOM\nprovider: {name: x}", "error missing-field spec"],
    ["action: CUSTOM\nrules: [{}]", "error missing-field spec"],
    [
      "action: CUSTOM\nprovider: {name: x}\nrules: [{from: [{source: {principals: [a]}}]}]",
      "error identity-in-custom spec.rules[0]",
    ],
    ["rules: [{from: [{}]}]", "error missing-field spec.rules[0].from[0]"],
    ["rules: [null]", "error empty-entry spec.rules[0]"],
    ["rules: [{when: [{key: destination.labels, values: [a]}]}]", "error unknown-key spec.rules[0].when[0].key"],
    ["rules: [{when: [{key: source.ip}]}]", "error missing-field spec.rules[0].when[0]"],
    ["action: DENY\nrules: [{to: [{operation: {methods: [GET]}}]}]", "warning denies-tcp spec.rules[0]"],
  ])("%j is reported", (text, fault) => expect(policy(text)).toEqual([fault]));

  test("sources", () => {
    expect(from("")).toEqual([`error empty-source ${SOURCE}`]);
    expect(from("ipBlocks: [a]")).toEqual([`error bad-address ${SOURCE}.ipBlocks[0]`]);
    expect(from("serviceAccounts: [ns/sa], namespaces: [a]")).toEqual([`error several-alternatives ${SOURCE}`]);
    expect(from('serviceAccounts: ["a*"]')).toEqual([`error bad-service-account ${SOURCE}.serviceAccounts[0]`]);
    expect(from('trustDomains: ["a*b"]')).toEqual([`error bad-trust-domain ${SOURCE}.trustDomains[0]`]);
    expect(from('principals: [""]')).toEqual([`error empty-text ${SOURCE}.principals[0]`]);
  });

  test.each([
    ["DENY", "hosts: [a.example]", ["hosts[0]"]],
    ["DENY", 'hosts: ["*.example", b.example, "b.example:*"]', ["hosts[0]"]],
    ["DENY", 'hosts: ["[::1]"]', ["hosts[0]"]],
    ["DENY", 'hosts: [a.example, "A.example:8080", "*"]', []],
    ["DENY", 'hosts: [a.example, "a.*", "*:80", "[::1]:80"]', []],
    ["DENY", "notHosts: [a.example], hosts: ['a.example*']", []],
    ["ALLOW", "notHosts: [a.example]", ["notHosts[0]"]],
    ["ALLOW", "hosts: [a.example]", []],
    ["AUDIT", "hosts: [a.example]", []],
  ])("%s by %s: hosts that a port gets past the rule", (action, fields, found) => {
    const written = `action: ${action}\nrules: [{to: [{operation: {ports: ["80"], ${fields}}}]}]`;
    expect(policy(written)).toEqual(found.map((field) => `warning host-without-port ${OPERATION}.${field}`));
  });

  test("operations", () => {
    expect(to("")).toEqual([`error empty-operation ${OPERATION}`]);
    expect(to('ports: ["65536"]')).toEqual([`error bad-port ${OPERATION}.ports[0]`]);
    expect(to('paths: ["/{**}/{*}"]')).toEqual([`error bad-path ${OPERATION}.paths[0]`]);
    expect(to('paths: ["/a{*}"]')).toEqual([`error bad-path ${OPERATION}.paths[0]`]);
  });
});

describe("EnvoyFilter", () => {
  const patch = (text: string) => verdicts("EnvoyFilter", `configPatches: [{${text}}]`);
  const P = "spec.configPatches[0]";
  const MERGE = "patch: {operation: MERGE, value: {}}";

  test("is read into its normal form", () => {
    const { spec } = read(
      "EnvoyFilter",
      `workloadSelector: {labels: {app: a}}\nconfigPatches: [{applyTo: CLUSTER, ${MERGE}}]`,
    );
    expect(spec.priority).toBe(0);
    expect(spec.selector).toEqual({ labels: { app: "a" } });
    expect(spec.configPatches[0]?.match).toEqual({ context: "ANY" });
  });

  test.each([
    ["applyTo: CLUSTER", `error missing-field ${P}`],
    [MERGE, `error missing-field ${P}`],
    ["applyTo: CLUSTER, patch: {value: {}}", `error missing-field ${P}.patch`],
    ["applyTo: CLUSTER, patch: {operation: MERGE}", `error missing-field ${P}.patch`],
    [
      `applyTo: CLUSTER, match: {proxy: {proxyVersion: "("}}, ${MERGE}`,
      `error bad-regex ${P}.match.proxy.proxyVersion`,
    ],
    [`applyTo: LISTENER, match: {cluster: {}}, ${MERGE}`, `error bad-match ${P}.match`],
    [`applyTo: HTTP_ROUTE, match: {listener: {}}, ${MERGE}`, `error bad-match ${P}.match`],
    [`applyTo: CLUSTER, match: {listener: {}}, ${MERGE}`, `error bad-match ${P}.match`],
    [
      `applyTo: HTTP_FILTER, match: {listener: {filterChain: {filter: {}}}}, ${MERGE}`,
      `error missing-field ${P}.match.listener.filterChain.filter`,
    ],
    [
      `applyTo: HTTP_FILTER, match: {listener: {filterChain: {filter: {name: x, subFilter: {name: y}}}}}, ${MERGE}`,
      `error bad-match ${P}.match.listener.filterChain.filter.subFilter`,
    ],
    [
      `applyTo: LISTENER, match: {listener: {filterChain: {filter: {name: x}}}}, ${MERGE}`,
      `warning match-unused ${P}.match.listener.filterChain.filter`,
    ],
    [`applyTo: CLUSTER, match: {context: ANY, waypoint: {}}, ${MERGE}`, `error bad-match ${P}.match`],
  ])("%j is reported", (text, fault) => expect(patch(text)).toContain(fault));

  test("REMOVE needs no value", () => expect(patch("applyTo: CLUSTER, patch: {operation: REMOVE}")).toEqual([]));
});

describe("ProxyConfig", () => {
  test("concurrency is not negative", () => {
    expect(errors("ProxyConfig", "concurrency: -1")).toEqual(["out-of-range spec.concurrency"]);
    expect(read("ProxyConfig", "environmentVariables: {A: b}").spec.environmentVariables).toEqual({ A: "b" });
  });
});
