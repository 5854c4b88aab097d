import { describe, expect, test } from "vitest";
import { object, pod, proxy, pushOf, service } from "./testing/push-of.ts";

const short = (services: readonly { readonly key: string }[]) =>
  services.map(({ key }) => key.replace(".svc.cluster.local", ""));
const sidecar = (name: string, spec: object) => object("Sidecar", name, spec as Record<string, unknown>);
const route = (host: string, port?: number) => [
  { route: [{ destination: { host, ...(port && { port: { number: port } }) } }] },
];
const virtual = (name: string, hosts: string[], http: object[], more = {}) =>
  object("VirtualService", name, { hosts, http, ...more });

describe("which Sidecar", () => {
  const all = { egress: [{ hosts: ["*/*"] }] };
  const objects = [
    sidecar("istio-system/root", all),
    sidecar("default/wide", all),
    sidecar("default/wide2", all),
    sidecar("default/web", { ...all, workloadSelector: { labels: { app: "web" } } }),
    sidecar("default/web2", { ...all, workloadSelector: { labels: { app: "web" } } }),
    pod("web-v1", "10.0.0.1"),
    pod("db-v1", "10.0.0.2"),
  ];
  const chosen = (name: string, facts = {}) => pushOf(objects).sidecarScope(proxy(name, facts)).config?.name;

  test("one that selects the workload, else the namespace's, else the root's; always the oldest", () => {
    expect(chosen("web-v1")).toBe("web");
    expect(chosen("db-v1")).toBe("wide");
    expect(chosen("other/x")).toBe("root");
  });

  test("gateways have none", () => expect(chosen("web-v1", { type: "router" })).toBeUndefined());

  test("workloads under one Sidecar share their scope", () => {
    const push = pushOf([sidecar("wide", all), pod("a-v1", "10.0.0.1"), pod("b-v1", "10.0.0.2")]);
    expect(push.sidecarScope(proxy("a-v1"))).toBe(push.sidecarScope(proxy("b-v1")));
  });
});

describe("the implicit scope", () => {
  test("imports everything that is exported to the namespace", () => {
    const push = pushOf([
      service("web"),
      service("ns1/db"),
      service("ns1/private", {}, { metadata: { annotations: { "networking.istio.io/exportTo": "." } } }),
      service("ns1/gone", {}, { metadata: { annotations: { "networking.istio.io/exportTo": "~" } } }),
      service("ns1/some", {}, { metadata: { annotations: { "networking.istio.io/exportTo": "ns2, default" } } }),
    ]);
    const scope = push.sidecarScope(proxy("web-v1"));
    expect(short(scope.services)).toEqual(["default/web.default", "ns1/db.ns1", "ns1/some.ns1"]);
    expect(scope.egress).toMatchObject([{ bind: "", captureMode: "DEFAULT", path: "" }]);
    expect(scope.ingress).toBeUndefined();
    expect(scope.outboundTrafficPolicy).toEqual({ mode: "ALLOW_ANY" });
  });

  test("the mesh may export nothing by default", () => {
    const mesh = {
      kind: "MeshConfig",
      spec: { defaultServiceExportTo: ["."], outboundTrafficPolicy: { mode: "REGISTRY_ONLY" } },
    };
    const scope = pushOf([mesh, service("web"), service("ns1/db")]).sidecarScope(proxy("x"));
    expect(short(scope.services)).toEqual(["default/web.default"]);
    expect(scope.outboundTrafficPolicy).toEqual({ mode: "REGISTRY_ONLY" });
  });
});

describe("imports", () => {
  const objects = [
    service("web"),
    service("ns1/db"),
    service("ns2/db"),
    service("ns1/log", {
      ports: [
        { name: "tcp", port: 514 },
        { name: "http", port: 9080 },
      ],
    }),
  ];
  const imported = (...hosts: string[]) => {
    const push = pushOf([...objects, sidecar("s", { egress: [{ hosts }] })]);
    return short(push.sidecarScope(proxy("x")).services);
  };

  test("by namespace and name", () => {
    expect(imported("./*")).toEqual(["default/web.default"]);
    expect(imported("~/*")).toEqual([]);
    expect(imported("ns1/*")).toEqual(["ns1/db.ns1", "ns1/log.ns1"]);
    expect(imported("*/db.ns2.svc.cluster.local")).toEqual(["ns2/db.ns2"]);
    expect(imported("*/*.ns1.svc.cluster.local", "./*")).toEqual(["default/web.default", "ns1/db.ns1", "ns1/log.ns1"]);
  });

  test("a listener with a port serves only services with that port, and that port only", () => {
    const push = pushOf([
      ...objects,
      sidecar("s", {
        egress: [{ port: { number: 514, protocol: "TCP" }, bind: "127.1.1.1", captureMode: "NONE", hosts: ["*/*"] }],
      }),
    ]);
    const scope = push.sidecarScope(proxy("x"));
    expect(scope.egress[0]).toMatchObject({
      bind: "127.1.1.1",
      captureMode: "NONE",
      port: { number: 514, resolvedProtocol: "TCP" },
      path: "spec.egress[0]",
    });
    expect(scope.egress[0]?.services.map(({ name, ports }) => [name, ports.map(({ port }) => port)])).toEqual([
      ["log", [514]],
    ]);
    expect(scope.services.map(({ ports }) => ports.map(({ port }) => port))).toEqual([[514]]);
  });

  test("the scope has the union of the ports that its listeners import", () => {
    const listener = (number: number) => ({
      port: { number, protocol: "HTTP" },
      hosts: ["ns1/log.ns1.svc.cluster.local"],
    });
    const push = pushOf([...objects, sidecar("s", { egress: [listener(9080), listener(514)] })]);
    expect(push.sidecarScope(proxy("x")).services[0]?.ports.map(({ port }) => port)).toEqual([514, 9080]);
  });

  test("a Unix socket and an HTTP proxy serve every port", () => {
    for (const egress of [
      { port: { number: 0 }, bind: "unix:///x", hosts: ["ns1/*"] },
      { port: { number: 8888, protocol: "HTTP_PROXY" }, hosts: ["ns1/*"] },
    ]) {
      const push = pushOf([...objects, sidecar("s", { egress: [egress] })]);
      expect(short(push.sidecarScope(proxy("x")).egress[0]?.services ?? [])).toEqual(["ns1/db.ns1", "ns1/log.ns1"]);
    }
  });

  test("one host in several namespaces: the own one, else Kubernetes, else the oldest", () => {
    const entry = (namespace: string) =>
      object("ServiceEntry", `${namespace}/e`, {
        hosts: ["a.com"],
        ports: [{ number: 80, name: "h", protocol: "HTTP" }],
      });
    const only = (...list: Parameters<typeof pushOf>[0]) => short(pushOf(list).sidecarScope(proxy("x")).services);
    expect(only(entry("ns1"), entry("default"), entry("ns2"))).toEqual(["default/a.com"]);
    expect(only(entry("ns2"), entry("ns1"))).toEqual(["ns2/a.com"]);
    const host = "db.ns1.svc.cluster.local";
    const clash = object("ServiceEntry", "ns2/e", {
      hosts: [host],
      ports: [{ number: 80, name: "h", protocol: "HTTP" }],
    });
    expect(only(clash, service("ns1/db"))).toEqual(["ns1/db.ns1"]);
  });
});

describe("VirtualServices of a listener", () => {
  test("those for the mesh, visible, with a host that is imported", () => {
    const push = pushOf([
      service("web"),
      service("ns1/db"),
      virtual("web", ["web"], route("web")),
      virtual("ns1/db", ["db"], route("db")),
      virtual("ns1/hidden", ["db"], route("db"), { exportTo: ["."] }),
      virtual("ns1/gw", ["db.com"], route("db"), { gateways: ["gw"] }),
      sidecar("s", { egress: [{ port: { number: 9080, protocol: "HTTP" }, hosts: ["ns1/*"] }, { hosts: ["./*"] }] }),
    ]);
    const { egress } = push.sidecarScope(proxy("x"));
    expect(egress.map(({ virtualServices }) => virtualServices.map(({ name }) => name))).toEqual([["db"], ["web"]]);
  });

  test("their destinations are imported too, with the ports they name", () => {
    const push = pushOf([
      service("web"),
      service("ns1/db", {
        ports: [
          { name: "http", port: 80 },
          { name: "http-x", port: 81 },
        ],
      }),
      service("ns2/log"),
      virtual(
        "web",
        ["web"],
        [
          ...route("db.ns1.svc.cluster.local", 81),
          { ...route("web")[0], match: [{ uri: { exact: "/" } }], mirror: { host: "log.ns2.svc.cluster.local" } },
        ].reverse(),
      ),
      sidecar("s", { egress: [{ hosts: ["./*"] }] }),
    ]);
    const scope = push.sidecarScope(proxy("x"));
    expect(short(scope.services)).toEqual(["default/web.default", "ns1/db.ns1", "ns2/log.ns2"]);
    expect(scope.service("db.ns1.svc.cluster.local")?.ports.map(({ port }) => port)).toEqual([81]);
    expect(short(scope.egress[0]?.services ?? [])).toEqual(["default/web.default"]);
  });
});

test("DestinationRules do not depend on the hosts of egress", () => {
  const push = pushOf([
    service("ns1/db"),
    object("DestinationRule", "ns1/db", { host: "db", trafficPolicy: { tls: { mode: "SIMPLE" } } }),
    sidecar("s", { egress: [{ hosts: ["./*"] }] }),
  ]);
  expect(push.sidecarScope(proxy("x")).destinationRule("db.ns1.svc.cluster.local", {})?.configs).toHaveLength(1);
});

test("a workload on loopback without capture: the scope carries addresses, endpoints and routes", () => {
  const push = pushOf([
    service("productpage"),
    service("details"),
    service("reviews"),
    object("WorkloadEntry", "details-v1", {
      address: "127.0.10.3",
      labels: { app: "details", version: "v1", "security.istio.io/tlsMode": "istio" },
    }),
    pod("productpage-v1", "127.0.10.1"),
    sidecar("productpage", {
      workloadSelector: { labels: { app: "productpage" } },
      ingress: [
        {
          port: { number: 9080, protocol: "HTTP", name: "http" },
          bind: "127.0.10.1",
          captureMode: "NONE",
          defaultEndpoint: "127.0.0.1:41234",
        },
      ],
      egress: [
        {
          port: { number: 9080, protocol: "HTTP", name: "d" },
          bind: "127.1.1.1",
          captureMode: "NONE",
          hosts: ["default/details.default.svc.cluster.local"],
        },
        {
          port: { number: 9080, protocol: "HTTP", name: "r" },
          bind: "127.1.1.2",
          captureMode: "NONE",
          hosts: ["default/reviews.default.svc.cluster.local"],
        },
      ],
    }),
  ]);
  const node = proxy("productpage-v1", { interceptionMode: "NONE" });
  const scope = push.sidecarScope(node);
  expect(scope.ingress).toEqual([
    {
      port: { number: 9080, protocol: "HTTP", name: "http" },
      bind: "127.0.10.1",
      captureMode: "NONE",
      defaultEndpoint: "127.0.0.1:41234",
      protocol: "HTTP",
      path: "spec.ingress[0]",
    },
  ]);
  expect(scope.egress.map(({ bind, services }) => [bind, short(services)])).toEqual([
    ["127.1.1.1", ["default/details.default"]],
    ["127.1.1.2", ["default/reviews.default"]],
  ]);
  expect(push.endpoints("default/details.default.svc.cluster.local", 9080)[0]).toMatchObject({
    address: "127.0.10.3",
    port: 9080,
    tlsMode: "istio",
  });
  expect(push.serviceTargets(node).map(({ targetPort }) => targetPort)).toEqual([9080]);
  expect(scope.config?.originOf(scope.egress[1]?.path ?? "")).toMatchObject({ file: "test.yaml" });
});
