import { describe, expect, test } from "vitest";
import { object, pod, proxy, pushOf, service } from "./testing/push-of.ts";

const virtual = (name: string, spec: object) => object("VirtualService", name, spec as Record<string, unknown>);
const to = (host: string) => ({ route: [{ destination: { host } }] });

function resolved(...objects: Parameters<typeof pushOf>[0]) {
  return pushOf([service("a"), ...objects]).sidecarScope(proxy("x")).egress[0]?.virtualServices ?? [];
}

describe("names", () => {
  test("short ones belong to the namespace; dotted ones, wildcards and addresses stay", () => {
    const [first] = resolved(
      virtual("ns/v", {
        hosts: ["short", "Dotted.x", "*.wild.com", "1.2.3.4"],
        http: [{ ...to("short"), mirror: { host: "other" } }],
        tcp: [to("t")],
      }),
    );
    expect(first?.hosts).toEqual(["short.ns.svc.cluster.local", "dotted.x", "*.wild.com", "1.2.3.4"]);
    expect(first?.http[0]?.route[0]?.destination.host).toBe("short.ns.svc.cluster.local");
    expect(first?.http[0]?.mirrors[0]?.destination.host).toBe("other.ns.svc.cluster.local");
    expect(first?.tcp[0]?.route[0]?.destination.host).toBe("t.ns.svc.cluster.local");
  });

  test("gateways: mesh, name, ./name, ns/name and the old dotted form", () => {
    const gateways = ["mesh", "gw", "./gw2", "ns2/gw3", "gw4.ns4.svc.cluster.local"];
    const [first] = resolved(
      virtual("ns/v", { hosts: ["a.com"], gateways, http: [{ ...to("a"), match: [{ gateways: ["gw"] }] }] }),
    );
    expect(first?.gateways).toEqual(["mesh", "ns/gw", "ns/gw2", "ns2/gw3", "ns4/gw4"]);
    expect(first?.http[0]?.match[0]?.gateways).toEqual(["ns/gw"]);
  });

  test("the oldest comes first", () => {
    expect(
      resolved(virtual("b", { hosts: ["a"], http: [to("a")] }), virtual("a", { hosts: ["a"], http: [to("a")] })).map(
        ({ name }) => name,
      ),
    ).toEqual(["b", "a"]);
  });
});

describe("delegates", () => {
  const root = (match: object[] | undefined, more = {}) =>
    virtual("root", {
      hosts: ["a"],
      http: [{ name: "root", ...(match && { match }), delegate: { name: "d", namespace: "ns" }, ...more }],
    });
  const delegate = (http: object[], more = {}) => virtual("ns/d", { http, ...more });
  const http = (...objects: Parameters<typeof pushOf>[0]) => resolved(...objects)[0]?.http ?? [];
  const uris = (...objects: Parameters<typeof pushOf>[0]) =>
    http(...objects).map(({ match }) => match.map(({ uri }) => uri?.value));

  test("replace the route; their destinations are in their namespace", () => {
    const [route] = http(root(undefined), delegate([{ name: "d", ...to("b") }]));
    expect(route).toMatchObject({ name: "root-d", path: "spec.http[0]", config: { name: "d", namespace: "ns" } });
    expect(route?.route[0]?.destination.host).toBe("b.ns.svc.cluster.local");
  });

  test("paths that lie within the root's prefix merge, others drop the route", () => {
    const page = root([{ uri: { prefix: "/productpage" } }]);
    expect(
      uris(
        page,
        delegate([
          { match: [{ uri: { prefix: "/productpage/v1" } }], ...to("b") },
          { match: [{ uri: { exact: "/productpage" } }], ...to("b") },
        ]),
      ),
    ).toEqual([["/productpage/v1"], ["/productpage"]]);
    expect(uris(page, delegate([{ match: [{ uri: { prefix: "/reviews" } }], ...to("b") }]))).toEqual([]);
    expect(
      uris(
        page,
        delegate([{ match: [{ uri: { prefix: "/productpage/v1" } }, { uri: { prefix: "/reviews" } }], ...to("b") }]),
      ),
    ).toEqual([]);
    expect(uris(page, delegate([to("b")]))).toEqual([["/productpage"]]);
  });

  test("expressions conflict with anything else", () => {
    expect(
      uris(root([{ uri: { regex: "/p.*" } }]), delegate([{ match: [{ uri: { exact: "/p" } }], ...to("b") }])),
    ).toEqual([]);
    expect(
      uris(root([{ uri: { prefix: "/" } }]), delegate([{ match: [{ uri: { regex: "/.*" } }], ...to("b") }])),
    ).toEqual([]);
  });

  test("several root matches give a merged one for each that fits", () => {
    const merged = http(
      root([
        { uri: { prefix: "/a" }, headers: { x: { exact: "1" } } },
        { headers: { x: { exact: "2" } } },
        { method: { exact: "POST" } },
      ]),
      delegate([
        { match: [{ uri: { prefix: "/a/b" }, method: { exact: "GET" }, headers: { y: { exact: "3" } } }], ...to("b") },
      ]),
    )[0]?.match;
    expect(merged?.map(({ uri, method, headers }) => [uri?.value, method?.value, Object.keys(headers)])).toEqual([
      ["/a/b", "GET", ["x", "y"]],
      ["/a/b", "GET", ["x", "y"]],
    ]);
  });

  test.each([
    [{ port: 80 }, { port: 81 }],
    [{ sourceLabels: { a: "1" } }, { sourceLabels: { a: "2" } }],
    [{ sourceNamespace: "x" }, {}],
    [{ ignoreUriCase: true }, {}],
    [{ gateways: ["mesh"] }, { gateways: ["gw"] }],
    [{ queryParams: { q: { exact: "1" } } }, { queryParams: { q: { exact: "2" } } }],
  ])("%j and %j do not fit", (outer, inner) => {
    expect(http(root([outer]), delegate([{ match: [inner], ...to("b") }]))).toEqual([]);
  });

  test("settings of the delegate win, the rest is inherited", () => {
    const [route] = http(
      root(undefined, { timeout: "1s", retries: { attempts: 1 } }),
      delegate([{ ...to("b"), timeout: "2s" }]),
    );
    expect(route?.timeout).toBe(2_000);
    expect(route?.retries?.attempts).toBe(1);
  });

  test("a delegate that is missing or not exported here contributes nothing", () => {
    expect(http(root(undefined))).toEqual([]);
    expect(http(root(undefined), delegate([to("b")], { exportTo: ["."] }))).toEqual([]);
    expect(http(root(undefined), delegate([to("b")], { exportTo: ["default"] }))).toHaveLength(1);
  });
});

describe("gateways", () => {
  const gateway = (name: string, selector: object, hosts = ["*"]) =>
    object("Gateway", name, { selector, servers: [{ port: { number: 8080, protocol: "HTTP", name: "http" }, hosts }] });
  const router = proxy("gw-v1", { type: "router" });

  test("select routers by label, from all namespaces, oldest first", () => {
    const push = pushOf([
      gateway("ns/b", { app: "gw" }),
      gateway("a", {}),
      gateway("c", { app: "other" }),
      pod("gw-v1", "10.0.0.1"),
    ]);
    expect(push.gateways(router).map(({ key }) => key)).toEqual(["ns/b", "default/a"]);
    expect(push.gateways(proxy("gw-v1"))).toEqual([]);
  });

  test("hosts name the namespaces of their VirtualServices", () => {
    const push = pushOf([gateway("ns/b", {}, ["A.com", "./b.com", "x/c.com", "*/d.com"])]);
    expect(push.gateways(router)[0]?.servers[0]).toMatchObject({
      protocol: "HTTP",
      path: "spec.servers[0]",
      serverHosts: [
        { namespace: "*", host: "a.com" },
        { namespace: "ns", host: "b.com" },
        { namespace: "x", host: "c.com" },
        { namespace: "*", host: "d.com" },
      ],
    });
  });

  test("VirtualServices of a gateway, as far as exported to it", () => {
    const push = pushOf([
      virtual("bookinfo", { hosts: ["*"], gateways: ["gw"], http: [to("a")] }),
      virtual("other/private", { hosts: ["x.com"], gateways: ["default/gw"], exportTo: ["."], http: [to("a")] }),
      virtual("mesh", { hosts: ["a"], http: [to("a")] }),
    ]);
    expect(push.gatewayVirtualServices("default/gw").map(({ name }) => name)).toEqual(["bookinfo"]);
    expect(push.gatewayVirtualServices("default/gw", "other").map(({ name }) => name)).toEqual(["bookinfo", "private"]);
  });
});

describe("attached resources", () => {
  const filter = (name: string, spec: object) => object("Telemetry", name, spec as Record<string, unknown>);

  test("root namespace first, then the own one; selectors choose; target references are for gateways", () => {
    const push = pushOf([
      filter("default/own", {}),
      filter("istio-system/root", {}),
      filter("default/web", { selector: { matchLabels: { app: "web" } } }),
      filter("default/db", { selector: { matchLabels: { app: "db" } } }),
      filter("other/x", {}),
      filter("default/target", { targetRefs: [{ group: "gateway.networking.k8s.io", kind: "Gateway", name: "g" }] }),
      pod("web-v1", "10.0.0.1"),
      pod("g-v1", "10.0.0.2", { "gateway.networking.k8s.io/gateway-name": "g" }),
    ]);
    const names = (name: string) => push.attached("Telemetry", proxy(name)).map((config) => config.name);
    expect(names("web-v1")).toEqual(["root", "own", "web"]);
    expect(names("g-v1")).toEqual(["root", "own", "target"]);
  });
});
