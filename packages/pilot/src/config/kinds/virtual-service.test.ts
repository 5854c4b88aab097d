import { describe, expect, test } from "vitest";
import { errors, read, verdicts, warnings } from "../testing/verdicts.ts";

const vs = (spec: string) => errors("VirtualService", spec);
/** A VirtualService of one HTTP route with these lines, indented below the route's dash. */
const route = (...lines: string[]) => `hosts: [reviews]\nhttp:\n- ${lines.join("\n  ")}\n`;
const TO_A = "route: [{destination: {host: a}}]";
const R = "spec.http[0]";

test("a route with matches, weights, headers and time-outs is read into its normal form", () => {
  const { spec } = read(
    "VirtualService",
    `
      hosts: [reviews]
      http:
      - name: canary
        match:
        - headers: {End-User: {exact: jason}}
          uri: {prefix: /x}
        route:
        - destination: {host: reviews, subset: v2, port: {number: 9080}}
          weight: 75
        - destination: {host: reviews, subset: v1}
          weight: 25
          headers: {response: {set: {x-a: "1"}}}
        timeout: 1m1.5s
        retries: {attempts: 2, perTryTimeout: 500ms, retryOn: "5xx,503"}
        mirror: {host: shadow}
        mirrorPercentage: {value: 12.5}
    `,
  );
  expect(spec.gateways).toEqual(["mesh"]);
  const [first] = spec.http;
  expect(first?.match[0]?.headers).toEqual({ "end-user": { type: "exact", value: "jason" } });
  expect(first?.match[0]?.uri).toEqual({ type: "prefix", value: "/x" });
  expect(first?.route[0]).toEqual({ destination: { host: "reviews", subset: "v2", port: 9080 }, weight: 75 });
  expect(first?.timeout).toBe(61_500);
  expect(first?.retries).toEqual({ attempts: 2, perTryTimeout: 500, retryOn: "5xx,503" });
  expect(first?.mirrors).toEqual([{ destination: { host: "shadow" }, percentage: 12.5 }]);
});

describe("hosts", () => {
  const hosts = (text: string, more = "") => vs(`hosts: [${text}]\n${more}http: [{${TO_A}}]`);

  test.each(['"*.bar.com"', '"*foo"', '"*foo.bar.com"', '"*-foo.bar.com"', "x".repeat(63), "istio.io.", "10.0.0.1"])(
    "%s is allowed",
    (host) => expect(hosts(host)).toEqual([]),
  );

  test.each(['"foo.*.com"', '"foo*.bar.com"', '""', "a".repeat(256), "a_b"])("%s is refused", (host) => {
    expect(hosts(host)).toEqual(["bad-host spec.hosts[0]"]);
  });

  test("* alone is for gateways", () => {
    expect(hosts('"*"')).toEqual(["bad-host spec.hosts[0]"]);
    expect(hosts('"*"', "gateways: [gw, mesh]\n")).toEqual(["bad-host spec.hosts[0]"]);
    expect(hosts('"*"', "gateways: [gw]\n")).toEqual([]);
  });

  test("two hosts that match each other are duplicates", () => {
    expect(hosts('"*.bar.com", foo.bar.com')).toEqual(["duplicate-host spec.hosts[1]"]);
    expect(hosts("a.com, A.com")).toEqual(["duplicate-host spec.hosts[1]"]);
    expect(hosts("a.com, b.com")).toEqual([]);
  });

  test("SNI forms of AUTO_PASSTHROUGH are allowed at gateways with SNI routes", () => {
    const sni = (host: string) =>
      vs(`hosts: ["${host}"]\ngateways: [gw]\ntls: [{match: [{sniHosts: ["${host}"]}], ${TO_A}}]`);
    expect(sni("outbound_.80_._.e2e.foobar.mesh")).toEqual([]);
    for (const host of ["neverbound_.80_._.e2e.mesh", "outbound_.thisIsNotAPort_._.e2e.mesh", "outbound_.80_._"]) {
      expect(sni(host)).toContain("bad-host spec.hosts[0]");
    }
  });
});

describe("gateways", () => {
  test("are mesh, name, namespace/name or ./name", () => {
    expect(vs(`hosts: [a]\ngateways: [mesh, gw, ns/gw, ./gw]\nhttp: [{${TO_A}}]`)).toEqual([]);
    expect(vs(`hosts: [a]\ngateways: [a/b/c]\nhttp: [{${TO_A}}]`)).toEqual(["bad-gateway-name spec.gateways[0]"]);
  });

  test("the dotted form of old releases draws a warning", () => {
    expect(verdicts("VirtualService", `hosts: [a]\ngateways: [gw.ns.svc.cluster.local]\nhttp: [{${TO_A}}]`)).toEqual([
      "warning old-gateway-name spec.gateways[0]",
    ]);
  });
});

describe("delegates", () => {
  test("have no hosts, gateways, tls and tcp", () => {
    expect(vs(`http: [{${TO_A}}]`)).toEqual([]);
    expect(vs(`gateways: [gw]\nhttp: [{${TO_A}}]\ntcp: [{${TO_A}}]`)).toEqual([
      "bad-delegate spec.gateways",
      "bad-delegate spec.tcp",
    ]);
    expect(vs("http: [{delegate: {name: other}}]")).toEqual([`bad-delegate ${R}.delegate`]);
  });

  test("a route that delegates neither routes nor redirects", () => {
    expect(vs(route("delegate: {name: other}"))).toEqual([]);
    expect(vs(route("delegate: {name: other}", TO_A))).toEqual([`contradicting-actions ${R}`]);
    expect(vs(route("delegate: {name: other}", "redirect: {uri: /}"))).toEqual([`contradicting-actions ${R}`]);
  });
});

describe("actions", () => {
  test("a route needs one", () => {
    expect(vs(route("name: nothing"))).toEqual([`missing-action ${R}`]);
    expect(vs("hosts: [a]")).toEqual(["no-routes spec"]);
  });

  test.each(["fault: {abort: {httpStatus: 500}}", "rewrite: {uri: /}", TO_A, "directResponse: {status: 200}"])(
    "redirect excludes %s",
    (other) => expect(vs(route("redirect: {uri: /}", other))).toEqual([`contradicting-actions ${R}`]),
  );

  test.each(["fault: {abort: {httpStatus: 500}}", "rewrite: {uri: /}", TO_A])("directResponse excludes %s", (other) =>
    expect(vs(route("directResponse: {status: 200}", other))).toEqual([`contradicting-actions ${R}`]),
  );

  test("mirror excludes mirrors", () => {
    expect(vs(route(TO_A, "mirror: {host: b}", "mirrors: [{destination: {host: c}}]"))).toEqual([
      `several-alternatives ${R}`,
    ]);
  });

  test("redirect", () => {
    expect(vs(route("redirect: {}"))).toEqual([`empty-redirect ${R}.redirect`]);
    expect(vs(route("redirect: {uri: /, redirectCode: 308}"))).toEqual([]);
    expect(vs(route("redirect: {uri: /, redirectCode: 200}"))).toEqual([`out-of-range ${R}.redirect.redirectCode`]);
    expect(vs(route("redirect: {scheme: ftp}"))).toEqual([`unknown-value ${R}.redirect.scheme`]);
    expect(vs(route("redirect: {port: 80, derivePort: FROM_REQUEST_PORT}"))).toEqual([
      `several-alternatives ${R}.redirect`,
    ]);
  });

  test("direct response", () => {
    expect(vs(route("directResponse: {status: 199}"))).toEqual([`out-of-range ${R}.directResponse.status`]);
    expect(vs(route(`directResponse: {status: 200, body: {string: "${"x".repeat(1024 * 1024 + 1)}"}}`))).toEqual([
      `body-too-large ${R}.directResponse.body`,
    ]);
    const large = route(`directResponse: {status: 200, body: {string: "${"x".repeat(100 * 1024 + 1)}"}}`);
    expect(verdicts("VirtualService", large)).toEqual([`warning body-large ${R}.directResponse.body`]);
    const bytes = read("VirtualService", route("directResponse: {status: 200, body: {bytes: aGk=}}"));
    expect(bytes.spec.http[0]?.directResponse?.body).toEqual(new Uint8Array([104, 105]));
  });

  test("rewrite", () => {
    expect(vs(route(TO_A, "rewrite: {}"))).toEqual([`empty-rewrite ${R}.rewrite`]);
    expect(vs(route(TO_A, "rewrite: {uri: /, uriRegexRewrite: {match: a, rewrite: b}}"))).toEqual([
      `several-alternatives ${R}.rewrite`,
    ]);
    expect(vs(route(TO_A, "rewrite: {uriRegexRewrite: {match: a}}"))).toEqual([
      `missing-field ${R}.rewrite.uriRegexRewrite`,
    ]);
    expect(vs(route(TO_A, 'rewrite: {uriRegexRewrite: {match: "(", rewrite: b}}'))).toEqual([
      `bad-regex ${R}.rewrite.uriRegexRewrite.match`,
    ]);
  });
});

describe("weights", () => {
  const weighted = (...weights: (number | string)[]) =>
    vs(route(`route: [${weights.map((weight) => `{destination: {host: a}, weight: ${weight}}`).join(", ")}]`));

  test("100 + 0 is fine, and sums other than 100 too", () => {
    expect(weighted(100, 0)).toEqual([]);
    expect(weighted(1, 2)).toEqual([]);
  });

  test("a single destination needs none", () => {
    expect(vs(route(TO_A))).toEqual([]);
    expect(weighted(0)).toEqual([]);
  });

  test("negative ones, and several that are all 0, are refused", () => {
    expect(weighted(-1)).toEqual([`negative-weight ${R}.route[0].weight`]);
    expect(weighted(0, 0)).toEqual([`weights-are-zero ${R}.route`]);
  });
});

describe("destinations", () => {
  test("need a host that is not *", () => {
    expect(vs(route("route: [{destination: {}}]"))).toEqual([`missing-field ${R}.route[0].destination`]);
    expect(vs(route('route: [{destination: {host: "*"}}]'))).toEqual([`bad-host ${R}.route[0].destination.host`]);
    expect(vs(route("route: [{weight: 1}]"))).toEqual([`missing-field ${R}.route[0]`]);
  });

  test("have a label as subset and a port in range", () => {
    expect(vs(route("route: [{destination: {host: a, subset: a.b}}]"))).toEqual([
      `bad-name ${R}.route[0].destination.subset`,
    ]);
    expect(vs(route("route: [{destination: {host: a, port: {number: 0}}}]"))).toEqual([
      `out-of-range ${R}.route[0].destination.port.number`,
    ]);
  });
});

describe("match", () => {
  const match = (text: string) => vs(route(`match: [{${text}}]`, TO_A));
  const M = `${R}.match[0]`;

  test.each(["headers: {a: null}", "withoutHeaders: {a: null}", "queryParams: {a: null}"])("%s is refused", (text) => {
    expect(match(text)).toEqual([`empty-entry ${M}.${text.split(":")[0]}.a`]);
  });

  test("empty prefixes and expressions are refused", () => {
    expect(match('method: {prefix: ""}')).toEqual([`empty-text ${M}.method.prefix`]);
    expect(match('headers: {a: {regex: ""}}')).toEqual([`bad-regex ${M}.headers.a.regex`]);
    expect(match('uri: {regex: ""}')).toEqual([`bad-regex ${M}.uri.regex`]);
    expect(match('uri: {prefix: ""}')).toEqual([]);
    expect(match("headers: {a: {}}")).toEqual([]);
  });

  test("the expression * means presence only in withoutHeaders", () => {
    expect(match('withoutHeaders: {a: {regex: "*"}}')).toEqual([]);
    expect(match('headers: {a: {regex: "*"}}')).toEqual([`bad-regex ${M}.headers.a.regex`]);
  });

  test("expressions are RE2", () => {
    expect(match('uri: {regex: "(?=a)"}')).toEqual([`bad-regex ${M}.uri.regex`]);
    expect(match(`uri: {regex: "${"a".repeat(1025)}"}`)).toEqual([`bad-regex ${M}.uri.regex`]);
  });

  test("one of exact, prefix and regex", () => {
    expect(match("uri: {exact: /a, prefix: /b}")).toEqual([`several-alternatives ${M}.uri`]);
  });

  test("port, namespace, labels and gateways are checked", () => {
    expect(match("port: 65536")).toEqual([`out-of-range ${M}.port`]);
    expect(match("sourceNamespace: a.b")).toEqual([`bad-name ${M}.sourceNamespace`]);
    expect(match("sourceLabels: {a: b c}")).toEqual([`bad-label ${M}.sourceLabels.a`]);
    expect(match("gateways: [a/b/c]")).toEqual([`bad-gateway-name ${M}.gateways[0]`]);
  });

  test("header names are tokens; claims are for gateways", () => {
    expect(match('headers: {"a b": {exact: x}}')).toEqual([`bad-header ${M}.headers["a b"]`]);
    const claim = 'headers: {"@request.auth.claims.sub": {exact: x}}';
    expect(match(claim)).toEqual([`claims-in-mesh ${M}.headers["@request.auth.claims.sub"]`]);
    expect(vs(`hosts: [a.com]\ngateways: [gw]\nhttp: [{match: [{${claim}}], ${TO_A}}]`)).toEqual([]);
  });
});

describe("headers", () => {
  const headers = (text: string) => vs(route(TO_A, `headers: {${text}}`));
  const H = `${R}.headers`;

  test("requests may set their authority, nothing else may touch it", () => {
    expect(headers('request: {set: {":authority": a.com}}')).toEqual([]);
    expect(headers("request: {add: {Host: a.com}}")).toEqual([]);
    expect(headers("request: {remove: [host]}")).toEqual([`reserved-header ${H}.request.remove[0]`]);
    expect(headers("response: {set: {host: a.com}}")).toEqual([`reserved-header ${H}.response.set.host`]);
    expect(headers('request: {set: {":path": /}}')).toEqual([`reserved-header ${H}.request.set[":path"]`]);
  });

  test("the authority is set once", () => {
    expect(headers("request: {set: {host: a}, add: {host: b}}")).toEqual([`authority-set-twice ${R}`]);
    expect(vs(route(TO_A, "rewrite: {authority: a}", "headers: {request: {set: {host: b}}}"))).toEqual([
      `authority-set-twice ${R}`,
    ]);
  });

  test("values may hold balanced substitutions", () => {
    expect(headers('request: {set: {a: "%DOWNSTREAM_REMOTE_ADDRESS%, 100%%, %REQ(x)%"}}')).toEqual([]);
    expect(headers('request: {set: {a: "100%"}}')).toEqual([`bad-header ${H}.request.set.a`]);
    expect(headers('request: {set: {a: "b\\nc"}}')).toEqual([`bad-header ${H}.request.set.a`]);
  });
});

describe("time-outs and retries", () => {
  test.each(["1ns", "1s1ns", "-1s", "0s", "1.0005s"])("timeout %s is refused", (timeout) => {
    expect(vs(route(TO_A, `timeout: ${timeout}`))).toEqual([`bad-duration ${R}.timeout`]);
  });

  test("a number without unit is refused with the cure", () => {
    expect(vs(route(TO_A, "timeout: 10"))).toEqual([`wrong-type ${R}.timeout`]);
  });

  test.each(["perTryTimeout: 1s", "retryOn: 5xx", "retryRemoteLocalities: true"])("attempts 0 excludes %s", (other) => {
    expect(vs(route(TO_A, `retries: {attempts: 0, ${other}}`))).toEqual([`retries-off ${R}.retries`]);
  });

  test("retryOn has statuses and known conditions", () => {
    expect(vs(route(TO_A, "retries: {attempts: 1, retryOn: 'gateway-error,503,cancelled'}"))).toEqual([]);
    expect(vs(route(TO_A, "retries: {attempts: 1, retryOn: 'some,5xx'}"))).toEqual([
      `unknown-retry-condition ${R}.retries.retryOn`,
    ]);
    expect(vs(route(TO_A, "retries: {attempts: -1}"))).toEqual([`out-of-range ${R}.retries.attempts`]);
  });
});

describe("faults", () => {
  const fault = (text: string) => verdicts("VirtualService", route(TO_A, `fault: {${text}}`));
  const F = `${R}.fault`;

  test("abort or delay", () => {
    expect(fault("delay: {fixedDelay: 7s, percentage: {value: 100}}")).toEqual([]);
    expect(fault("abort: {httpStatus: 555, percentage: {value: 0.0001}}")).toEqual([]);
    expect(fault("abort: {grpcStatus: UNAVAILABLE}")).toEqual([]);
    expect(fault("")).toEqual([`error empty-fault ${F}`]);
    expect(fault("abort: {percentage: {value: 1}}")).toEqual([`warning abort-without-type ${F}.abort`]);
  });

  test("ranges and names", () => {
    expect(fault("abort: {httpStatus: 601}")).toEqual([`error out-of-range ${F}.abort.httpStatus`]);
    expect(fault("abort: {grpcStatus: BAD}")).toEqual([`error unknown-value ${F}.abort.grpcStatus`]);
    expect(fault("abort: {httpStatus: 500, percentage: {value: 0.00001}}")).toEqual([
      `error out-of-range ${F}.abort.percentage.value`,
    ]);
    expect(fault("abort: {httpStatus: 500, percentage: {value: 101}}")).toEqual([
      `error out-of-range ${F}.abort.percentage.value`,
    ]);
    expect(fault("abort: {http2Error: NO}")).toEqual([`error unsupported ${F}.abort.http2Error`]);
    expect(fault("delay: {exponentialDelay: 1s}")).toEqual([
      `error missing-field ${F}.delay`,
      `error unsupported ${F}.delay.exponentialDelay`,
    ]);
  });
});

describe("cors", () => {
  const cors = (text: string) => vs(route(TO_A, `corsPolicy: {${text}}`));
  const C = `${R}.corsPolicy`;

  test("origins, methods, headers and age", () => {
    expect(cors("allowOrigins: [{exact: a}], allowMethods: [GET, '*'], allowHeaders: ['*', x-a], maxAge: 24h")).toEqual(
      [],
    );
    expect(cors("allowOrigins: [{}]")).toEqual([`empty-text ${C}.allowOrigins[0]`]);
    expect(cors("allowOrigins: [{regex: '('}]")).toEqual([`bad-regex ${C}.allowOrigins[0].regex`]);
    expect(cors("allowMethods: [get]")).toEqual([`unknown-value ${C}.allowMethods[0]`]);
    expect(cors("allowHeaders: ['a b']")).toEqual([`bad-header ${C}.allowHeaders[0]`]);
    expect(cors("maxAge: 500ms")).toEqual([`bad-duration ${C}.maxAge`]);
  });

  test("the old list of origins is read as exact ones", () => {
    const { spec } = read("VirtualService", route(TO_A, "corsPolicy: {allowOrigin: [a.com]}"));
    expect(spec.http[0]?.corsPolicy?.allowOrigins).toEqual([{ type: "exact", value: "a.com" }]);
  });
});

describe("tls and tcp routes", () => {
  const tls = (text: string) => verdicts("VirtualService", `hosts: ["*.a.com"]\ntls: [{${text}}]`);

  test("tls needs match, SNI hosts and a route", () => {
    expect(tls(`match: [{sniHosts: [x.a.com]}], ${TO_A}`)).toEqual([]);
    expect(tls(TO_A)).toEqual(["error missing-field spec.tls[0]"]);
    expect(tls(`match: [], ${TO_A}`)).toEqual(["error wrong-count spec.tls[0].match"]);
    expect(tls(`match: [{sniHosts: []}], ${TO_A}`)).toEqual(["error wrong-count spec.tls[0].match[0].sniHosts"]);
    expect(tls("match: [{sniHosts: [x.a.com]}]")).toEqual(["error missing-field spec.tls[0]"]);
  });

  test("SNI hosts lie within the hosts", () => {
    expect(tls(`match: [{sniHosts: ["*.x.a.com"]}], ${TO_A}`)).toEqual([]);
    expect(tls(`match: [{sniHosts: [b.com]}], ${TO_A}`)).toEqual([
      "error sni-not-in-hosts spec.tls[0].match[0].sniHosts[0]",
    ]);
  });

  test("tcp needs a route and subnets", () => {
    const tcp = (text: string) => vs(`hosts: [a]\ntcp: [{${text}}]`);
    expect(tcp(`match: [{destinationSubnets: [10.0.0.0/8, "::1"], port: 80}], ${TO_A}`)).toEqual([]);
    expect(tcp(`match: [{destinationSubnets: [10.0.0.0/33]}], ${TO_A}`)).toEqual([
      "bad-address spec.tcp[0].match[0].destinationSubnets[0]",
    ]);
    expect(tcp("route: []")).toEqual(["wrong-count spec.tcp[0].route"]);
  });
});

describe("rules that are never used", () => {
  const rules = (...matches: string[]) =>
    warnings(
      "VirtualService",
      `hosts: [a]\nhttp:\n${matches.map((match) => `- {${match ? `match: [${match}], ` : ""}${TO_A}}`).join("\n")}`,
    );

  test("only the last rule can have no matches", () => {
    expect(rules("", "")).toEqual(["unreachable-rule spec.http[1]"]);
    expect(rules("", "{uri: {exact: /a}}")).toEqual(["unreachable-rule spec.http[1]"]);
    expect(rules("{uri: {exact: /a}}", "")).toEqual([]);
  });

  test("duplicates and prefixes that lie behind shorter ones", () => {
    expect(rules("{uri: {exact: /a}}", "{uri: {exact: /a}, name: other}")).toEqual([
      "unreachable-rule spec.http[1]",
      "ineffective-match spec.http[1].match[0]",
    ]);
    expect(rules("{uri: {prefix: /a}}", "{uri: {prefix: /a/b}}")).toEqual(["ineffective-match spec.http[1].match[0]"]);
    expect(rules("{uri: {prefix: /a}, port: 80}", "{uri: {prefix: /a/b}}")).toEqual([]);
    expect(rules("{uri: {prefix: /a}, headers: {x: {exact: y}}}", "{uri: {prefix: /a/b}}")).toEqual([]);
  });
});

test("deprecated percentages draw a warning and still count", () => {
  const text = route(TO_A, "mirror: {host: b}", "mirror_percent: 50");
  expect(verdicts("VirtualService", text)).toEqual([`warning deprecated-field ${R}.mirror_percent`]);
  expect(read("VirtualService", text).spec.http[0]?.mirrors[0]?.percentage).toBe(50);
});

test("a mirror of 0 percent stays 0", () => {
  const { spec } = read("VirtualService", route(TO_A, "mirror: {host: b}", "mirrorPercentage: {value: 0}"));
  expect(spec.http[0]?.mirrors[0]?.percentage).toBe(0);
});

describe("exportTo", () => {
  const exported = (text: string) => vs(`hosts: [a]\nexportTo: [${text}]\nhttp: [{${TO_A}}]`);

  test("names, . and * alone or ~ alone, none twice", () => {
    expect(exported('"*"')).toEqual([]);
    expect(exported("., ns2")).toEqual([]);
    expect(exported('"*", ns2')).toEqual(["bad-export spec.exportTo[0]"]);
    expect(exported('., "~"')).toEqual(["bad-export spec.exportTo[1]"]);
    expect(exported("., default")).toEqual(["repeated-export spec.exportTo[1]"]);
    expect(exported("a.b")).toEqual(["bad-export spec.exportTo[0]"]);
  });
});
