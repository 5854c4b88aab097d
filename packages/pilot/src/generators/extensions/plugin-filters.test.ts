import { toJson, unpackAnyAs } from "@mixerless/wire";
import type { Listener } from "@mixerless/wire/envoy/config/listener/v3/listener";
import {
  HttpConnectionManagerSchema,
  type HttpFilter,
  HttpFilterSchema,
} from "@mixerless/wire/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager";
import { TypeUrl } from "@mixerless/xds";
import { describe, expect, it } from "vitest";
import { type Manifest, object, pod, proxy, pushOf, service } from "../../model/testing/push-of.ts";
import { generate } from "../../push/generate-resources.ts";
import { PilotSource } from "../../push/pilot-source.ts";

const TYPE = "type.googleapis.com/envoy.extensions.filters.http";
const PREFIX = "extensions.istio.io/wasmplugin/";
const INBOUND = "10.0.0.1_9080";
const OUTBOUND = "127.0.0.1_9443";
const HTTP = "networking.istio.io/v1alpha3";

/** A workload that is reached on 9080 and calls port 9443 of another one, and a gateway on 80. */
const MESH: Manifest[] = [
  { kind: "MeshConfig", metadata: { name: "mesh" }, spec: { defaultProviders: { metrics: ["prometheus"] } } },
  service("a"),
  pod("a-v1", "10.0.0.1"),
  service("b", { ports: [{ name: "http", port: 9443 }] }),
  pod("b-v1", "10.0.0.2"),
  object("Sidecar", "a", {
    workloadSelector: { labels: { app: "a" } },
    ingress: [
      { port: { number: 9080, protocol: "HTTP", name: "http" }, captureMode: "NONE", defaultEndpoint: "127.0.0.1:81" },
      { port: { number: 9000, protocol: "TCP", name: "tcp" }, captureMode: "NONE", defaultEndpoint: "127.0.0.1:82" },
    ],
    egress: [
      {
        port: { number: 9443, protocol: "HTTP", name: "http" },
        ...{ bind: "127.0.0.1", captureMode: "NONE", hosts: ["default/b.default.svc.cluster.local"] },
      },
    ],
  }),
  object("Gateway", "g", {
    selector: { istio: "gateway" },
    servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"] }],
  }),
];

const A = proxy("a-v1", { interceptionMode: "NONE", ipAddresses: ["10.0.0.1"] });
const GATEWAY = proxy("gateway", { type: "router", labels: { istio: "gateway" } });

function plugin(name: string, spec: Manifest = {}): Manifest {
  return object("WasmPlugin", name, { url: "r.example/p:v1", ...spec });
}

function listenersOf(objects: readonly Manifest[], of = A): Map<string, Listener> {
  const input = { proxy: of, push: pushOf([...MESH, ...objects]), telemetry: "native" as const };
  const made = generate(input, TypeUrl.listener, "wildcard") ?? [];
  return new Map(made.map(({ name, message }) => [name, message as unknown as Listener]));
}

function httpFilters(listener: Listener | undefined): HttpFilter[] {
  const manager = listener?.filterChains[0]?.filters.at(-1)?.configType;
  if (manager?.case !== "typedConfig") return [];
  const unpacked = unpackAnyAs(manager.value, HttpConnectionManagerSchema);
  return unpacked.faults === undefined ? unpacked.message.httpFilters : [];
}

/** The names of the filters of a listener; those of plugins without their prefix. */
function names(objects: readonly Manifest[], listener = INBOUND, of = A): string[] {
  const filters = httpFilters(listenersOf(objects, of).get(listener));
  return filters.map(({ name }) => name.replace(PREFIX, "")).map((name) => name.replace("envoy.filters.http.", ""));
}

/** Those of plugins alone. */
function plugins(objects: readonly Manifest[], listener = INBOUND, of = A): string[] {
  const filters = httpFilters(listenersOf(objects, of).get(listener));
  return filters.flatMap(({ name }) => (name.startsWith(PREFIX) ? [name.slice(PREFIX.length)] : []));
}

const PHASES = ["UNSPECIFIED_PHASE", "STATS", "AUTHZ", "AUTHN"];
const OF_EACH_PHASE = PHASES.map((phase) => plugin(phase.toLowerCase().replace("_", "-"), { phase }));

describe("the filter of a WasmPlugin", () => {
  it("names its configuration, which comes over the same stream, as a Wasm filter or as a verdict in its place", () => {
    const [filter] = httpFilters(listenersOf([plugin("p")]).get(INBOUND)).filter(({ name }) => name.startsWith(PREFIX));
    expect(filter && toJson(HttpFilterSchema, filter)).toEqual({
      name: "extensions.istio.io/wasmplugin/default.p",
      configDiscovery: {
        configSource: { ads: {}, resourceApiVersion: "V3", initialFetchTimeout: "0s" },
        applyDefaultConfigWithoutWarming: true,
        defaultConfig: { "@type": `${TYPE}.rbac.v3.RBAC`, rules: {}, rulesStatPrefix: "wasm-default-deny" },
        typeUrls: [`${TYPE}.wasm.v3.Wasm`, `${TYPE}.rbac.v3.RBAC`],
      },
    });
  });

  it.each([
    ["FAIL_OPEN", { rulesStatPrefix: "wasm-default-allow" }],
    ["FAIL_CLOSE", { rules: {}, rulesStatPrefix: "wasm-default-deny" }],
    ["FAIL_RELOAD", { rules: {}, rulesStatPrefix: "wasm-default-deny" }],
  ])("until there is one, %s decides", (failStrategy, verdict) => {
    const filters = httpFilters(listenersOf([plugin("p", { failStrategy })]).get(INBOUND));
    const json = filters.map((filter) => toJson(HttpFilterSchema, filter) as { configDiscovery?: object });
    expect(json.flatMap(({ configDiscovery }) => configDiscovery ?? [])).toMatchObject([
      { defaultConfig: { "@type": `${TYPE}.rbac.v3.RBAC`, ...verdict } },
    ]);
  });

  it("stands where its phase says: around tokens and policies, before what answers and what counts", () => {
    const objects = [
      ...OF_EACH_PHASE,
      object("AuthorizationPolicy", "allow", { rules: [{}] }),
      object("RequestAuthentication", "tokens", { jwtRules: [{ issuer: "https://a", jwksUri: "https://a/keys" }] }),
    ];
    const rest = ["fault", "cors", "istio.stats", "router"];
    const late = ["default.stats", "default.unspecified-phase"];
    const judged = ["default.authn", "jwt_authn", "default.authz", "rbac", ...late];
    expect(names(objects)).toEqual(["istio.metadata_exchange", ...judged, ...rest]);
    const called = ["default.authn", "default.authz", ...late];
    expect(names(objects, OUTBOUND)).toEqual(["istio.metadata_exchange", ...called, ...rest]);
  });

  it("stands in the chains of gateways", () => {
    const root = plugin("istio-system/p", { phase: "AUTHN" });
    expect(plugins([root], "0.0.0.0_80", GATEWAY)).toEqual(["istio-system.p"]);
  });

  it("is not in chains of connections that are no HTTP", () => {
    const filters = listenersOf([plugin("p")]).get("10.0.0.1_9000")?.filterChains[0]?.filters ?? [];
    expect(filters.map(({ name }) => name)).not.toContainEqual(expect.stringContaining("wasmplugin"));
  });

  it("stands among the filters of requests for HTTP and for an unsaid type, not for NETWORK", () => {
    const types = ["HTTP", "UNSPECIFIED_PLUGIN_TYPE", "NETWORK"];
    const objects = types.map((type, i) => plugin(`p${i}`, { type }));
    expect(plugins(objects)).toEqual(["default.p0", "default.p1"]);
  });

  it("is there by its name for the patches of EnvoyFilters, which come later", () => {
    const patch = (operation: string, value?: object) => ({
      applyTo: "HTTP_FILTER",
      match: {
        context: "SIDECAR_INBOUND",
        listener: {
          filterChain: {
            filter: {
              name: "envoy.filters.network.http_connection_manager",
              subFilter: { name: `${PREFIX}default.p` },
            },
          },
        },
      },
      patch: { operation, ...(value && { value }) },
    });
    const cors = { name: "before", typed_config: { "@type": `${TYPE}.cors.v3.Cors` } };
    const objects = [plugin("o"), plugin("p"), plugin("q")];
    const filter = (patches: object[]) => ({
      ...{ apiVersion: HTTP, kind: "EnvoyFilter", metadata: { name: "f", namespace: "default" } },
      spec: { configPatches: patches },
    });
    const chain = names([...objects, filter([patch("INSERT_BEFORE", cors)])]);
    expect(chain.slice(1, 5)).toEqual(["default.o", "before", "default.p", "default.q"]);
    expect(plugins([...objects, filter([patch("REMOVE")])])).toEqual(["default.o", "default.q"]);
  });
});

describe("of several WasmPlugins in one phase", () => {
  it("the larger priority comes first, and none is the lowest of all", () => {
    const objects = [
      plugin("none"),
      plugin("low", { priority: -5 }),
      plugin("high", { priority: 7 }),
      plugin("zero", { priority: 0 }),
    ];
    expect(plugins(objects)).toEqual(["default.high", "default.zero", "default.low", "default.none"]);
  });

  it("of one priority the older comes first, those of the workload's namespace before those of the root namespace", () => {
    const objects = [plugin("istio-system/root"), plugin("z"), plugin("a")];
    expect(plugins(objects)).toEqual(["default.z", "default.a", "istio-system.root"]);
    const urgent = plugin("istio-system/urgent", { priority: 1 });
    expect(plugins([urgent, ...objects])[0]).toBe("istio-system.urgent");
  });
});

describe("a WasmPlugin applies", () => {
  const match = (...selectors: object[]) => [plugin("p", { match: selectors })];
  const at = (objects: readonly Manifest[]) => [INBOUND, OUTBOUND].filter((name) => plugins(objects, name).length > 0);

  it.each<[string, object[], string[]]>([
    ["without match everywhere", [], [INBOUND, OUTBOUND]],
    ["by an empty match everywhere", [{}], [INBOUND, OUTBOUND]],
    ["by SERVER to what comes in", [{ mode: "SERVER" }], [INBOUND]],
    ["by CLIENT to what goes out", [{ mode: "CLIENT" }], [OUTBOUND]],
    ["by CLIENT_AND_SERVER to both", [{ mode: "CLIENT_AND_SERVER" }], [INBOUND, OUTBOUND]],
    ["by ports to what has one of them", [{ ports: [{ number: 1 }, { number: 9080 }] }], [INBOUND]],
    ["by the port of a service to what calls it", [{ ports: [{ number: 9443 }] }], [OUTBOUND]],
    ["by mode and port only where both hold", [{ mode: "CLIENT", ports: [{ number: 9080 }] }], []],
    ["where one of several holds", [{ mode: "CLIENT", ports: [{ number: 1 }] }, { mode: "SERVER" }], [INBOUND]],
  ])("%s", (_name, selectors, expected) => {
    expect(at(match(...selectors))).toEqual(expected);
  });

  it("at a gateway as at a client", () => {
    const of = (mode: string) => plugins([plugin("istio-system/p", { match: [{ mode }] })], "0.0.0.0_80", GATEWAY);
    expect([of("CLIENT"), of("SERVER")]).toEqual([["istio-system.p"], []]);
  });

  it("to workloads that it selects, whatever matches", () => {
    const selector = { matchLabels: { app: "b" } };
    expect(at([plugin("p", { selector, match: [{}] })])).toEqual([]);
    expect(at([plugin("istio-system/p", { selector: { matchLabels: { app: "a" } } })])).toEqual([INBOUND, OUTBOUND]);
    expect(at([plugin("elsewhere/p")])).toEqual([]);
  });

  it("by targetRefs to gateways of the Gateway API in its namespace, never to sidecars", () => {
    const reference = { group: "gateway.networking.k8s.io", kind: "Gateway", name: "way" };
    const targeted = [plugin("p", { targetRefs: [reference] })];
    const labels = { istio: "gateway", "gateway.networking.k8s.io/gateway-name": "way" };
    expect(plugins(targeted, "0.0.0.0_80", { ...GATEWAY, labels })).toEqual(["default.p"]);
    expect(plugins(targeted, "0.0.0.0_80", GATEWAY)).toEqual([]);
    expect(at(targeted)).toEqual([]);
  });
});

describe("a push for a WasmPlugin", () => {
  /** The versions of what a proxy holds. */
  function versions(spec: Manifest) {
    const source = new PilotSource(pushOf([...MESH, plugin("p", spec)]), "native");
    const of = (type: string, wanted: ReadonlySet<string> | "wildcard") =>
      Object.fromEntries(
        [...(source.generate(A, type, wanted)?.entries() ?? [])].map(([n, { version }]) => [n, version]),
      );
    return {
      listeners: of(TypeUrl.listener, "wildcard"),
      extension: of(TypeUrl.extensionConfig, new Set([`${PREFIX}default.p`])),
    };
  }

  it.each([
    ["url", { url: "r.example/p:v2" }],
    ["pluginConfig", { pluginConfig: { a: 1 } }],
    ["pluginName", { pluginName: "root" }],
    ["vmConfig", { vmConfig: { env: [{ name: "A", value: "1" }] } }],
    ["sha256", { sha256: "0".repeat(64) }],
  ])("whose %s changed leaves the listeners as they are", (_field, change) => {
    const before = versions({});
    const after = versions(change);
    expect(after.listeners).toEqual(before.listeners);
    expect(after.extension).not.toEqual(before.extension);
  });

  it("whose match changed leaves its configuration as it is", () => {
    const before = versions({});
    const after = versions({ match: [{ mode: "CLIENT" }] });
    expect(after.extension).toEqual(before.extension);
    expect(after.listeners[INBOUND]).not.toBe(before.listeners[INBOUND]);
    expect(after.listeners[OUTBOUND]).toBe(before.listeners[OUTBOUND]);
  });

  it("comes to each proxy by its own labels, also where proxies share what is made", () => {
    const selector = { matchLabels: { version: "v1" } };
    const push = pushOf([...MESH, pod("a-v2", "10.0.0.3"), plugin("p", { selector })]);
    const source = new PilotSource(push, "native");
    const other = proxy("a-v2", { interceptionMode: "NONE", ipAddresses: ["10.0.0.3"] });
    const versionsOf = (of: typeof A) => source.generate(of, TypeUrl.listener, "wildcard")?.get(OUTBOUND)?.version;
    expect(versionsOf(A)).toBeDefined();
    expect(versionsOf(other)).not.toBe(versionsOf(A));
  });
});
