import { describe, expect, test } from "vitest";
import { errors, read, verdicts } from "../testing/verdicts.ts";

const sidecar = (spec: string) => errors("Sidecar", spec);

test("a workload without capture: explicit listeners on loopback addresses", () => {
  const { spec } = read(
    "Sidecar",
    `
      workloadSelector: {labels: {app: productpage}}
      ingress:
      - port: {number: 9080, protocol: HTTP, name: http}
        bind: 127.0.10.1
        captureMode: NONE
        defaultEndpoint: 127.0.0.1:41234
      egress:
      - port: {number: 9080, protocol: HTTP, name: http-details}
        bind: 127.1.1.1
        captureMode: NONE
        hosts: [default/details.default.svc.cluster.local]
      - port: {number: 9080, protocol: HTTP, name: http-reviews}
        bind: 127.1.1.2
        captureMode: NONE
        hosts: [default/reviews.default.svc.cluster.local]
    `,
  );
  expect(spec.ingress[0]).toEqual({
    port: { number: 9080, protocol: "HTTP", name: "http" },
    bind: "127.0.10.1",
    captureMode: "NONE",
    defaultEndpoint: "127.0.0.1:41234",
  });
  expect(spec.egress.map(({ bind }) => bind)).toEqual(["127.1.1.1", "127.1.1.2"]);
});

describe("sidecar", () => {
  test("says something", () => {
    expect(sidecar("workloadSelector: {labels: {a: b}}")).toEqual(["empty-settings spec"]);
    expect(sidecar("outboundTrafficPolicy: {mode: ALLOW_ANY}")).toEqual([]);
    expect(sidecar("inboundConnectionPool: {tcp: {maxConnections: 1}}")).toEqual([]);
  });

  test("selectors have no empty key and no *", () => {
    expect(sidecar('egress: [{hosts: ["*/*"]}]\nworkloadSelector: {labels: {"": a}}')).toEqual([
      'bad-selector spec.workloadSelector.labels[""]',
    ]);
    expect(sidecar('egress: [{hosts: ["*/*"]}]\nworkloadSelector: {labels: {a: "*"}}')).toEqual([
      "bad-selector spec.workloadSelector.labels.a",
    ]);
    expect(verdicts("Sidecar", 'egress: [{hosts: ["*/*"]}]\nworkloadSelector: {}')).toEqual([
      "warning selects-everything spec.workloadSelector",
    ]);
  });
});

describe("ingress", () => {
  const ingress = (text: string) => sidecar(`ingress: [{${text}}]`);
  const PORT = "port: {number: 80, protocol: HTTP, name: http}";
  const I = "spec.ingress[0]";

  test("needs a port of a known protocol without targetPort", () => {
    expect(ingress("port: {number: 80}, defaultEndpoint: '127.0.0.1:80'")).toEqual([]);
    expect(ingress("defaultEndpoint: '127.0.0.1:80'")).toEqual([`missing-field ${I}`]);
    expect(ingress("port: {number: 80, protocol: x}")).toEqual([`unknown-protocol ${I}.port.protocol`]);
    expect(ingress("port: {number: 0}")).toEqual([`bad-port ${I}.port.number`]);
    expect(ingress("port: {number: 80, targetPort: 1}")).toEqual([`unsupported ${I}.port.targetPort`]);
  });

  test("ports are unique", () => {
    expect(sidecar(`ingress: [{${PORT}}, {${PORT}, bind: 127.0.0.2}]`)).toEqual([
      "repeated-port spec.ingress[1].port.number",
    ]);
  });

  test("bind is an address", () => {
    expect(ingress(`${PORT}, bind: a.com`)).toEqual([`bad-address ${I}.bind`]);
    expect(ingress(`${PORT}, bind: 'unix:///x'`)).toEqual([`bad-address ${I}.bind`]);
  });

  test.each(["127.0.0.1:80", "0.0.0.0:80", "[::1]:80", "[::]:80", "unix:///x", ""])(
    "defaultEndpoint %s is allowed",
    (endpoint) => {
      expect(ingress(`${PORT}, defaultEndpoint: "${endpoint}"`)).toEqual([]);
    },
  );

  test.each([
    ["1.1.1.1:80", "bad-address"],
    ["127.0.0.1", "bad-address"],
    ["127.0.0.1:0", "bad-port"],
    ["127.0.0.1:65536", "bad-port"],
    ["unix:///", "bad-address"],
  ])("defaultEndpoint %s is refused", (endpoint, code) => {
    expect(ingress(`${PORT}, defaultEndpoint: "${endpoint}"`)).toEqual([`${code} ${I}.defaultEndpoint`]);
  });

  test("tls is for TLS ports, with files only", () => {
    const tls = (text: string, protocol = "TLS") =>
      ingress(
        `port: {number: 443, protocol: ${protocol}, name: t}, tls: {serverCertificate: /c, privateKey: /k, ${text}}`,
      );
    expect(tls("mode: SIMPLE")).toEqual([]);
    expect(tls("mode: SIMPLE", "HTTP")).toEqual([`tls-not-allowed ${I}.tls`]);
    expect(tls("mode: SIMPLE, subjectAltNames: [a]")).toEqual([`tls-not-allowed ${I}.tls`]);
    expect(tls("mode: SIMPLE, httpsRedirect: true")).toEqual([`tls-not-allowed ${I}.tls`]);
    expect(ingress("port: {number: 443, protocol: TLS, name: t}, tls: {mode: ISTIO_MUTUAL}")).toEqual([
      `tls-not-allowed ${I}.tls`,
    ]);
    expect(ingress("port: {number: 443, protocol: TLS, name: t}, tls: {mode: SIMPLE, credentialName: x}")).toEqual([
      `tls-not-allowed ${I}.tls`,
    ]);
  });

  test("HTTP pool settings on a TCP port draw a warning", () => {
    const text = "ingress: [{port: {number: 80, protocol: TCP}, connectionPool: {http: {http2MaxRequests: 1}}}]";
    expect(verdicts("Sidecar", text)).toEqual([`warning pool-unused ${I}`]);
  });
});

describe("egress", () => {
  const egress = (...entries: string[]) =>
    verdicts("Sidecar", `egress: [${entries.map((entry) => `{${entry}}`).join(", ")}]`);
  const ALL = 'hosts: ["*/*"]';
  const E = "spec.egress[0]";

  test("the catch-all is the last", () => {
    expect(egress(ALL, `${ALL}, port: {number: 80}`)).toEqual([`error catch-all-not-last ${E}`]);
    expect(egress(ALL, ALL)).toEqual([`error catch-all-not-last ${E}`]);
    expect(egress(`${ALL}, port: {number: 80}`, ALL)).toEqual([]);
  });

  test("port 0 belongs to a Unix socket that is not captured", () => {
    expect(egress(`${ALL}, port: {number: 0}, bind: 'unix:///x'`)).toEqual([]);
    expect(egress(`${ALL}, port: {number: 0}`)).toEqual([`error bad-port ${E}.port.number`]);
    expect(egress(`${ALL}, port: {number: 0}, bind: 'unix:///x', captureMode: IPTABLES`)).toEqual([
      `error bad-capture-mode ${E}.captureMode`,
    ]);
    expect(egress(`${ALL}, port: {number: 80}, bind: 'unix:///x'`)).toEqual([`error bad-address ${E}.bind`]);
  });

  test("address and port together are unique", () => {
    const port = "port: {number: 80}";
    expect(egress(`${ALL}, ${port}`, `${ALL}, ${port}`)).toEqual(["error repeated-port spec.egress[1]"]);
    expect(egress(`${ALL}, ${port}, bind: 127.0.0.2`, `${ALL}, ${port}, bind: 127.0.0.3`)).toEqual([]);
  });

  test.each(['"*/*"', "./*", "~/*", "ns/a.com", "ns/*.a.com", "ns/10.0.0.1"])("host %s is allowed", (host) => {
    expect(egress(`hosts: [${host.startsWith('"') ? host : `"${host}"`}]`)).toEqual([]);
  });

  test.each([
    ["a.com", "bad-host"],
    ["ns/short", "short-host"],
    ["a_b/a.com", "bad-host"],
    ["ns/*x.com", "bad-host"],
    ["a/b/c", "bad-host"],
  ])("host %s is refused", (host, code) =>
    expect(egress(`hosts: ["${host}"]`)).toEqual([`error ${code} ${E}.hosts[0]`]),
  );

  test("at least one host", () => {
    expect(egress("hosts: []")).toEqual([`error wrong-count ${E}.hosts`]);
    expect(egress("port: {number: 80}")).toEqual([`error missing-field ${E}`]);
  });

  test("repeated hosts, and others beside */*, draw warnings", () => {
    expect(egress("hosts: [ns/a.com, ns/a.com]")).toEqual([`warning repeated-name ${E}.hosts[1]`]);
    expect(egress('hosts: ["*/*", ns/a.com]')).toEqual([`warning hosts-covered ${E}.hosts`]);
  });
});

describe("egress proxy", () => {
  const proxy = (text: string, mode = "ALLOW_ANY") =>
    sidecar(`outboundTrafficPolicy: {mode: ${mode}, egressProxy: {${text}}}`);
  const X = "spec.outboundTrafficPolicy.egressProxy";

  test("has a full name and a port, under ALLOW_ANY", () => {
    expect(proxy("host: proxy.ns.svc.cluster.local, port: {number: 80}")).toEqual([]);
    expect(proxy("host: proxy.ns, port: {number: 80}", "REGISTRY_ONLY")).toEqual([`bad-egress-proxy ${X}`]);
    expect(proxy("host: '*.a.com', port: {number: 80}")).toEqual([`bad-host ${X}.host`]);
    expect(proxy("host: a.com")).toEqual([`missing-field ${X}`]);
  });
});
