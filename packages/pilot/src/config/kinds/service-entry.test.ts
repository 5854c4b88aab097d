import { describe, expect, test } from "vitest";
import { errors, read, verdicts, warnings } from "../testing/verdicts.ts";

const HTTP = "ports: [{number: 80, name: http, protocol: HTTP}]";
const entry = (text: string) => errors("ServiceEntry", `{${text}}`);

test("an external host is read into its normal form", () => {
  const { spec } = read("ServiceEntry", `{hosts: [www.googleapis.com], ${HTTP}, resolution: DNS}`);
  expect(spec).toMatchObject({
    hosts: ["www.googleapis.com"],
    location: "MESH_EXTERNAL",
    resolution: "DNS",
    ports: [{ number: 80, name: "http", protocol: "HTTP" }],
    endpoints: [],
    addresses: [],
    exportTo: [],
  });
});

describe("hosts", () => {
  test("at least one, none of them *", () => {
    expect(entry(`${HTTP}`)).toEqual(["missing-field spec"]);
    expect(entry(`hosts: [], ${HTTP}`)).toEqual(["wrong-count spec.hosts"]);
    expect(entry(`hosts: ["*"], ${HTTP}`)).toEqual(["bad-host spec.hosts[0]"]);
    expect(entry(`hosts: [a.*.com], ${HTTP}`)).toEqual(["bad-host spec.hosts[0]"]);
  });

  test("a partial wildcard draws a warning", () => {
    expect(warnings("ServiceEntry", `{hosts: ["*x.com"], ${HTTP}}`)).toEqual(["partial-wildcard spec.hosts[0]"]);
  });

  test("spec is needed", () => expect(errors("ServiceEntry", "")).toContain("missing-field spec"));
});

describe("ports", () => {
  const ports = (text: string) => entry(`hosts: [a.com], ports: [${text}]`);

  test("have numbers in range and unique names and numbers", () => {
    expect(ports("{number: 80, name: a, protocol: HTTP}, {number: 81, name: a, protocol: HTTP}")).toEqual([
      "repeated-name spec.ports[1].name",
    ]);
    expect(ports("{number: 80, name: a, protocol: HTTP}, {number: 80, name: b, protocol: HTTP}")).toEqual([
      "repeated-port spec.ports[1].number",
    ]);
    expect(ports("{number: 65536, name: a, protocol: HTTP}")).toEqual(["bad-port spec.ports[0].number"]);
    expect(ports("{number: 80, protocol: HTTP}")).toEqual(["missing-field spec.ports[0]"]);
    expect(ports("{number: 80, name: a, targetPort: 0, protocol: HTTP}")).toEqual([
      "bad-port spec.ports[0].targetPort",
    ]);
  });

  test("a TCP port without addresses draws a warning", () => {
    expect(verdicts("ServiceEntry", "{hosts: [a.com], ports: [{number: 80, name: a, protocol: TCP}]}")).toEqual([
      "warning tcp-without-address spec.ports[0]",
    ]);
  });
});

describe("resolution", () => {
  test("CIDR addresses are for NONE and STATIC", () => {
    expect(entry(`hosts: [a.com], addresses: [10.0.0.0/8], ${HTTP}`)).toEqual([]);
    expect(entry(`hosts: [a.com], addresses: [10.0.0.0/8], ${HTTP}, resolution: STATIC`)).toEqual([]);
    expect(entry(`hosts: [a.com], addresses: [10.0.0.0/8], ${HTTP}, resolution: DNS`)).toEqual([
      "bad-address spec.addresses[0]",
    ]);
    expect(entry(`hosts: [a.com], addresses: [a.com], ${HTTP}`)).toEqual(["bad-address spec.addresses[0]"]);
  });

  test("NONE has no endpoints", () => {
    expect(entry(`hosts: [a.com], ${HTTP}, endpoints: [{address: 1.1.1.1}]`)).toEqual([
      "endpoints-not-allowed spec.endpoints",
    ]);
    expect(warnings("ServiceEntry", `{hosts: [a.com], ${HTTP}, workloadSelector: {labels: {a: b}}}`)).toEqual([
      "selector-unused spec.workloadSelector",
    ]);
  });

  test("STATIC endpoints are addresses or Unix sockets", () => {
    const fixed = (text: string, ports = HTTP) =>
      entry(`hosts: [a.com], ${ports}, resolution: STATIC, endpoints: [{${text}}]`);
    expect(fixed("address: 1.1.1.1, ports: {http: 8080}")).toEqual([]);
    expect(fixed("address: a.com")).toEqual(["bad-address spec.endpoints[0].address"]);
    expect(fixed("address: 'unix:///x'")).toEqual([]);
    expect(fixed("address: 'unix:///x', ports: {http: 1}")).toEqual(["bad-port spec.endpoints[0].ports"]);
    expect(
      fixed(
        "address: 'unix:///x'",
        "ports: [{number: 80, name: a, protocol: HTTP}, {number: 81, name: b, protocol: HTTP}]",
      ),
    ).toEqual(["bad-port spec.endpoints[0].address"]);
    expect(fixed("address: 1.1.1.1, ports: {other: 1}")).toEqual(["unknown-port spec.endpoints[0].ports.other"]);
    expect(fixed("labels: {a: b}")).toEqual(["missing-field spec.endpoints[0]"]);
  });

  test("DNS without endpoints needs full hosts", () => {
    expect(entry(`hosts: ["*.a.com"], ${HTTP}, resolution: DNS`)).toEqual(["bad-host spec.hosts[0]"]);
    expect(entry(`hosts: ["*.a.com"], ${HTTP}, resolution: DNS, endpoints: [{address: b.com}]`)).toEqual([]);
    expect(entry(`hosts: [a.com], ${HTTP}, resolution: DNS, endpoints: [{address: "a_b"}]`)).toEqual([
      "bad-address spec.endpoints[0].address",
    ]);
    expect(entry(`hosts: [a.com], ${HTTP}, resolution: DNS, endpoints: [{address: "unix:///x"}]`)).toEqual([
      "bad-address spec.endpoints[0].address",
    ]);
  });

  test("DNS_ROUND_ROBIN has one endpoint at most", () => {
    expect(
      entry(`hosts: [a.com], ${HTTP}, resolution: DNS_ROUND_ROBIN, endpoints: [{address: b.com}, {address: c.com}]`),
    ).toEqual(["too-many-endpoints spec.endpoints"]);
  });

  test("DYNAMIC_DNS is for wildcards of HTTP and TLS ports", () => {
    expect(entry(`hosts: ["*.a.com"], ${HTTP}, resolution: DYNAMIC_DNS`)).toEqual([]);
    expect(entry(`hosts: [a.com], ${HTTP}, resolution: DYNAMIC_DNS`)).toEqual(["bad-host spec.hosts[0]"]);
    expect(entry(`hosts: ["*.a.com"], ${HTTP}, addresses: [1.1.1.1], resolution: DYNAMIC_DNS`)).toEqual([
      "endpoints-not-allowed spec.addresses",
    ]);
    expect(entry('hosts: ["*.a.com"], ports: [{number: 1, name: a, protocol: TCP}], resolution: DYNAMIC_DNS')).toEqual([
      "unknown-protocol spec.ports[0].protocol",
    ]);
  });

  test("several hosts can't share a TCP port", () => {
    const tcp = "ports: [{number: 1, name: a, protocol: TCP}]";
    expect(entry(`hosts: [a.com, b.com], ${tcp}, resolution: DNS`)).toEqual(["indistinct-hosts spec.ports[0]"]);
    expect(entry(`hosts: [a.com, b.com], ${tcp}`)).toEqual([]);
    expect(warnings("ServiceEntry", `{hosts: [a.com, b.com], ${tcp}, addresses: [1.1.1.1]}`)).toEqual([
      "indistinct-hosts spec.ports[0]",
    ]);
  });
});

test("selector and endpoints exclude each other; selectors have no *", () => {
  const both = "workloadSelector: {labels: {a: b}}, endpoints: [{address: 1.1.1.1}], resolution: STATIC";
  expect(entry(`hosts: [a.com], ${HTTP}, ${both}`)).toEqual(["several-alternatives spec"]);
  expect(entry(`hosts: [a.com], ${HTTP}, workloadSelector: {labels: {a: "*"}}, resolution: STATIC`)).toEqual([
    "bad-selector spec.workloadSelector.labels.a",
  ]);
});

describe("WorkloadEntry", () => {
  const workload = (text: string) => verdicts("WorkloadEntry", `{${text}}`);

  test("has an address unless a network is set", () => {
    expect(workload("address: 127.0.10.3, labels: {app: a}, ports: {http: 9080}")).toEqual([]);
    expect(workload("address: vm.a.com")).toEqual([]);
    expect(workload("labels: {a: b}")).toEqual(["error missing-field spec"]);
    expect(workload("network: n1")).toEqual(["warning address-by-network spec"]);
    expect(workload("address: a_b")).toEqual(["error bad-address spec.address"]);
  });

  test("Unix sockets are absolute, no directories and have no ports", () => {
    expect(workload("address: 'unix://@abstract'")).toEqual([]);
    expect(workload("address: 'unix://relative'")).toEqual(["error bad-address spec.address"]);
    expect(workload("address: 'unix:///dir/'")).toEqual(["error bad-address spec.address"]);
    expect(workload("address: 'unix:///x', ports: {a: 1}")).toEqual(["error bad-port spec.ports"]);
  });

  test("ports are in range", () => {
    expect(workload("address: 1.1.1.1, ports: {a: 65536}")).toEqual(["error out-of-range spec.ports.a"]);
    expect(workload("address: 1.1.1.1, ports: {a.b: 1}")).toEqual(['error bad-name spec.ports["a.b"]']);
  });
});
