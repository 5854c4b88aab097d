import { describe, expect, test } from "vitest";
import { object, pod, proxy, pushOf, service } from "./testing/push-of.ts";

const HOST = "web.default.svc.cluster.local";
const KEY = `default/${HOST}`;
const http = [{ number: 80, name: "http", protocol: "HTTP" }];

describe("services", () => {
  test("of Kubernetes", () => {
    const push = pushOf([service("web", { clusterIP: "10.96.0.1" })]);
    expect(push.service(HOST)).toMatchObject({
      key: KEY,
      hostname: HOST,
      name: "web",
      namespace: "default",
      registry: "kubernetes",
      resolution: "client-side-lb",
      addresses: ["10.96.0.1"],
      ports: [{ name: "http", port: 9080, targetPort: 9080, protocol: "HTTP" }],
      meshExternal: false,
    });
    expect(push.service("WEB.default.svc.cluster.local")?.key).toBe(KEY);
  });

  test("headless ones and aliases", () => {
    const push = pushOf([
      service("headless", { clusterIP: "None" }),
      object("Service", "alias", { type: "ExternalName", externalName: "Example.com", ports: [{ port: 80 }] }),
    ]);
    expect(push.service("headless.default.svc.cluster.local")).toMatchObject({
      resolution: "passthrough",
      headless: true,
    });
    expect(push.service("alias.default.svc.cluster.local")).toMatchObject({
      resolution: "alias",
      externalName: "example.com",
    });
  });

  test.each([
    ["NONE", "passthrough"],
    ["STATIC", "client-side-lb"],
    ["DNS", "dns-lb"],
    ["DNS_ROUND_ROBIN", "dns-round-robin"],
  ])("a ServiceEntry of %s resolves by %s", (resolution, expected) => {
    const push = pushOf([object("ServiceEntry", "ext", { hosts: ["A.com", "b.com"], ports: http, resolution })]);
    expect(push.services.map(({ hostname }) => hostname)).toEqual(["a.com", "b.com"]);
    expect(push.service("a.com")).toMatchObject({
      resolution: expected,
      meshExternal: true,
      name: "a.com",
      registry: "service-entry",
    });
  });

  test("Kubernetes goes before ServiceEntry for the same host", () => {
    const push = pushOf([
      object("ServiceEntry", "ns1/se", { hosts: [HOST], ports: http }),
      object("ServiceEntry", "default/se", { hosts: [HOST], ports: http }),
      service("web"),
    ]);
    expect(push.service(HOST)?.registry).toBe("kubernetes");
    expect(push.services.map(({ key }) => key)).toEqual([`ns1/${HOST}`, KEY]);
  });

  test("another domain", () => {
    expect(pushOf([service("web")], { clusterDomain: "mesh.test" }).services[0]?.hostname).toBe(
      "web.default.svc.mesh.test",
    );
  });
});

describe("endpoints", () => {
  const places = (push: ReturnType<typeof pushOf>, port = 9080, labels?: Record<string, string>) =>
    push.endpoints(KEY, port, labels).map((endpoint) => `${endpoint.address}:${endpoint.port}`);

  test("are the Pods that the Service selects, in its namespace", () => {
    const push = pushOf([
      service("web"),
      pod("web-v1", "127.0.10.3"),
      pod("other-v1", "127.0.10.4"),
      pod("ns/web-v1", "127.0.10.5"),
    ]);
    expect(places(push)).toEqual(["127.0.10.3:9080"]);
    expect(places(push, 80)).toEqual([]);
  });

  test("leave out what is not ready, ended or without address, unless asked for", () => {
    const objects = [
      pod(
        "web-v1",
        "10.0.0.1",
        {},
        { status: { podIP: "10.0.0.1", conditions: [{ type: "Ready", status: "False" }] } },
      ),
      pod("web-v2", "10.0.0.2", {}, { status: { podIP: "10.0.0.2", phase: "Failed" } }),
      pod("web-v3", "", {}, { status: {} }),
    ];
    expect(places(pushOf([service("web"), ...objects]))).toEqual([]);
    expect(places(pushOf([service("web", { publishNotReadyAddresses: true }), ...objects]))).toEqual([
      "10.0.0.1:9080",
      "10.0.0.2:9080",
    ]);
  });

  test("leave out a WorkloadEntry whose agent probes it, until its status says that it is well", () => {
    const entry = (annotation: string, conditions?: unknown) => ({
      ...object("WorkloadEntry", "vm", { address: "127.0.10.3", labels: { app: "web" } }),
      metadata: {
        ...{ name: "vm", namespace: "default", labels: { app: "web" } },
        annotations: { "proxy.istio.io/health-checks-enabled": annotation },
      },
      ...(conditions === undefined ? {} : { status: { conditions } }),
    });
    const found = (...of: Parameters<typeof entry>) => places(pushOf([service("web"), entry(...of)]));
    const healthy = (status: string) => [null, { type: "Ready", status: "True" }, { type: "Healthy", status }];
    expect(found("true", healthy("True"))).toEqual(["127.0.10.3:9080"]);
    expect(found("true", healthy("False"))).toEqual([]);
    expect(found("true", healthy("True").slice(0, 2))).toEqual([]);
    expect(found("true", "Healthy")).toEqual([]);
    expect(found("true")).toEqual([]);
    expect(found("false", healthy("False"))).toEqual(["127.0.10.3:9080"]);
  });

  test("named target ports lead to container ports", () => {
    const ports = (targetPort: string) => service("web", { ports: [{ name: "http", port: 9080, targetPort }] });
    expect(places(pushOf([ports("web"), pod("web-v1", "10.0.0.1")]))).toEqual(["10.0.0.1:9080"]);
    expect(places(pushOf([ports("nothing"), pod("web-v1", "10.0.0.1")]))).toEqual([]);
  });

  test("WorkloadEntries map port names", () => {
    const entry = (ports: object) =>
      object("WorkloadEntry", "vm", { address: "127.0.10.3", labels: { app: "web" }, ports });
    expect(places(pushOf([service("web"), entry({})]))).toEqual(["127.0.10.3:9080"]);
    expect(places(pushOf([service("web"), entry({ http: 1234 })]))).toEqual(["127.0.10.3:1234"]);
    const named = service("web", { ports: [{ name: "http", port: 80, targetPort: "app" }] });
    expect(places(pushOf([named, entry({ app: 7 })]), 80)).toEqual(["127.0.10.3:7"]);
    expect(places(pushOf([named, entry({})]), 80)).toEqual(["127.0.10.3:80"]);
  });

  test("subsets choose by labels", () => {
    const push = pushOf([service("web"), pod("web-v1", "10.0.0.1"), pod("web-v2", "10.0.0.2")]);
    expect(places(push, 9080, { version: "v2" })).toEqual(["10.0.0.2:9080"]);
    expect(places(push, 9080, {})).toHaveLength(2);
  });

  test("carry what telemetry and mTLS need", () => {
    const push = pushOf(
      [
        service("web"),
        pod("web-v1", "10.0.0.1", { "security.istio.io/tlsMode": "istio", "topology.kubernetes.io/zone": "z1" }),
      ],
      { clusterId: "c1" },
    );
    expect(push.endpoints(KEY, 9080)[0]).toMatchObject({
      istioWorkload: "web-v1;default;web;v1;c1",
      identity: "spiffe://cluster.local/ns/default/sa/default",
      tlsMode: "istio",
      locality: { region: "", zone: "z1", subzone: "" },
      weight: 1,
      namespace: "default",
    });
    expect(push.identities(KEY)).toEqual(["spiffe://cluster.local/ns/default/sa/default"]);
  });

  test("a revision of latest is left out of istio.workload", () => {
    const push = pushOf([
      service("web"),
      object("WorkloadEntry", "vm", { address: "10.0.0.1", labels: { app: "web" } }),
    ]);
    expect(push.endpoints(KEY, 9080)[0]?.istioWorkload).toBe("vm;default;web;;Kubernetes");
  });

  test("EndpointSlices replace the selection of Pods", () => {
    const slice = (endpoint: object) =>
      object(
        "EndpointSlice",
        "web-1",
        {},
        {
          metadata: { labels: { "kubernetes.io/service-name": "web" } },
          addressType: "IPv4",
          ports: [{ name: "http", port: 8080 }],
          endpoints: [endpoint],
        },
      );
    const pods = [pod("web-v1", "10.0.0.1"), pod("web-v2", "10.0.0.2")];
    const known = pushOf([service("web"), ...pods, slice({ addresses: ["10.0.0.2"] })]);
    expect(places(known)).toEqual(["10.0.0.2:8080"]);
    expect(known.endpoints(KEY, 9080)[0]?.labels).toEqual({ app: "web", version: "v2" });
    const foreign = pushOf([service("web", { selector: null }), slice({ addresses: ["10.9.9.9"], zone: "z" })]);
    expect(places(foreign)).toEqual(["10.9.9.9:8080"]);
    expect(places(pushOf([service("web"), slice({ addresses: ["10.9.9.9"], conditions: { ready: false } })]))).toEqual(
      [],
    );
  });

  test("of ServiceEntries: listed, selected, the host itself, none", () => {
    const at = (spec: object) => {
      const push = pushOf([
        object("ServiceEntry", "ext", {
          hosts: ["a.com"],
          ports: [{ number: 80, name: "http", protocol: "HTTP", targetPort: 8080 }],
          ...spec,
        }),
        pod("web-v1", "10.0.0.1"),
      ]);
      return push.endpoints("default/a.com", 80).map(({ address, port, tlsMode }) => `${address}:${port} ${tlsMode}`);
    };
    expect(
      at({
        resolution: "STATIC",
        endpoints: [{ address: "1.1.1.1" }, { address: "1.1.1.2", ports: { http: 9 }, serviceAccount: "sa" }],
      }),
    ).toEqual(["1.1.1.1:8080 disabled", "1.1.1.2:9 istio"]);
    expect(at({ resolution: "STATIC", endpoints: [{ address: "unix:///x" }] })).toEqual(["unix:///x:0 disabled"]);
    expect(at({ resolution: "STATIC", workloadSelector: { labels: { app: "web" } } })).toEqual([
      "10.0.0.1:8080 disabled",
    ]);
    expect(at({ resolution: "DNS" })).toEqual(["a.com:8080 disabled"]);
    expect(at({ resolution: "NONE" })).toEqual([]);
  });
});

describe("service targets of a proxy", () => {
  test("are the ports of the services that select its workload, ready or not", () => {
    const push = pushOf([
      service("web", {
        ports: [
          { name: "http", port: 80, targetPort: "web" },
          { name: "other", port: 81, targetPort: "none" },
        ],
      }),
      service("db"),
      service("all", { selector: { version: "v1" } }),
      object("ServiceEntry", "se", {
        hosts: ["se.com"],
        ports: http,
        resolution: "STATIC",
        endpoints: [{ address: "10.0.0.1" }],
      }),
      pod(
        "web-v1",
        "10.0.0.1",
        {},
        { status: { podIP: "10.0.0.1", conditions: [{ type: "Ready", status: "False" }] } },
      ),
    ]);
    const targets = push.serviceTargets(proxy("web-v1"));
    expect(
      targets.map(({ service: { hostname }, port, targetPort }) => [hostname.split(".")[0], port.port, targetPort]),
    ).toEqual([
      ["web", 80, 9080],
      ["all", 9080, 9080],
      ["se", 80, 80],
    ]);
    expect(push.serviceTargets(proxy("nobody", { ipAddresses: [] }))).toEqual([]);
  });
});
