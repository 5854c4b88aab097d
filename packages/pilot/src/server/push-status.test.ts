import { describe, expect, it } from "vitest";
import { type Manifest, object, pod, proxy, pushOf, service } from "../model/testing/push-of.ts";
import { type PushStatusName, pushStatus } from "./push-status.ts";

const NONE = { interceptionMode: "NONE" as const };
const clients = [proxy("client-v1", NONE), proxy("shop/client-v1", NONE)];

/** Names and subjects of all that is odd about a configuration. */
function oddities(...objects: Manifest[]): Record<string, string[]> {
  const status = pushStatus(pushOf(objects), [...clients, proxy("a-v1", { ...NONE, ipAddresses: ["10.1.0.1"] })]);
  const entries = Object.entries(status) as [PushStatusName, ReadonlySet<string>][];
  return Object.fromEntries(entries.filter(([, about]) => about.size > 0).map(([name, about]) => [name, [...about]]));
}

const port = (number: number, name: string, more: object = {}) => ({ name, port: number, ...more });
const to = (host: string) => ({ http: [{ route: [{ destination: { host } }] }] });
const entry = (name: string, spec: object) =>
  object("ServiceEntry", name, { hosts: ["x.com"], ports: [{ number: 80, name: "http", protocol: "HTTP" }], ...spec });

describe("what is odd about a revision", () => {
  it("is nothing where everything fits", () => {
    expect(oddities(service("a"), pod("a-v1", "10.1.0.1"))).toEqual({});
  });

  it("is a cluster without endpoints, also that of a subset", () => {
    expect(oddities(service("a"))).toEqual({
      pilot_eds_no_instances: ["outbound|9080||a.default.svc.cluster.local default"],
    });
    const rule = object("DestinationRule", "a", { host: "a", subsets: [{ name: "v2", labels: { version: "v2" } }] });
    expect(oddities(service("a"), pod("a-v1", "10.1.0.1"), rule)).toEqual({
      pilot_eds_no_instances: ["outbound|9080|v2|a.default.svc.cluster.local default"],
    });
  });

  it("is a DNS cluster without anything to look up", () => {
    const wild = { hosts: ["*.x.com"], resolution: "DNS", endpoints: [{ address: "a.x.com", ports: {} }] };
    const selecting = { resolution: "DNS", workloadSelector: { labels: { app: "none" } } };
    expect(oddities(entry("fits", wild))).toEqual({});
    expect(oddities(entry("x", selecting))).toEqual({
      pilot_dns_cluster_without_endpoints: ["outbound|80||x.com default"],
    });
  });

  it("is a host that two VirtualServices of the mesh have, in each namespace that sees both", () => {
    const both = ["one", "two"].map((name) => object("VirtualService", name, { hosts: ["x.com"], ...to("a") }));
    const endpoints = { resolution: "STATIC", endpoints: [{ address: "192.0.2.1" }] };
    expect(oddities(entry("x", endpoints), ...both)).toEqual({
      pilot_vservice_dup_domain: ["default x.com", "shop x.com"],
    });
  });

  it("is a subset of a host in two DestinationRules", () => {
    const rule = (name: string, host: string) => object("DestinationRule", name, { host, subsets: [{ name: "v1" }] });
    const a = [service("a"), pod("a-v1", "10.1.0.1")];
    expect(oddities(...a, rule("one", "a"), rule("two", "a.default.svc.cluster.local"))).toEqual({
      pilot_destrule_subsets: ["default a.default.svc.cluster.local v1"],
    });
    expect(oddities(...a, rule("one", "a"), rule("two", "b"))).toEqual({});
  });

  it("is a cluster that entries of two namespaces would have", () => {
    const spec = { resolution: "STATIC", endpoints: [{ address: "192.0.2.1" }] };
    expect(oddities(entry("default/x", spec), entry("shop/x", spec))).toEqual({
      pilot_duplicate_envoy_clusters: ["outbound|80||x.com"],
    });
  });

  it("is a TCP service whose port another one has, and an inbound port with two protocols", () => {
    const pods = [pod("a-v1", "10.1.0.1"), pod("b-v1", "10.1.0.2")];
    const tcp = (app: string) => service(app, { ports: [port(7000, "tcp")] });
    expect(oddities(tcp("a"), tcp("b"), ...pods)).toEqual({
      pilot_conflict_outbound_listener_tcp_over_current_tcp: ["_7000 default/b.default.svc.cluster.local"],
    });
    const ports = [port(80, "http", { targetPort: 9080 }), port(81, "tcp", { targetPort: 9080 })];
    expect(oddities(service("a", { ports }), pods[0] ?? {})).toEqual({
      pilot_conflict_inbound_listener: ["a-v1.default 9080"],
    });
  });

  it("is a Pod without address, an endpoint that is not ready and one without its Pod", () => {
    const waiting = object("Pod", "a-v2", { containers: [] }, { metadata: { labels: { app: "b" } } });
    expect(oddities(waiting)).toEqual({ pilot_no_ip: ["default/a-v2"] });
    const slice = {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: "a-1", namespace: "default", labels: { "kubernetes.io/service-name": "a" } },
      addressType: "IPv4",
      ports: [{ name: "http", port: 9080 }],
      endpoints: [
        { addresses: ["10.1.0.8"], targetRef: { kind: "Pod", name: "gone" } },
        { addresses: ["10.1.0.9"], conditions: { ready: false } },
      ],
    };
    expect(oddities(service("a"), slice)).toEqual({
      pilot_endpoint_not_ready: ["default/10.1.0.9"],
      endpoint_no_pod: ["default/gone"],
    });
  });
});
