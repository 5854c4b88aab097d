import { toJson, unpackAnyAs } from "@mixerless/wire";
import { type Listener, ListenerSchema } from "@mixerless/wire/envoy/config/listener/v3/listener";
import { RBACSchema } from "@mixerless/wire/envoy/extensions/filters/network/rbac/v3/rbac";
import { TypeUrl } from "@mixerless/xds";
import { describe, expect, it } from "vitest";
import { type Manifest, object, pod, proxy, pushOf, service } from "../../model/testing/push-of.ts";
import { generate } from "../../push/generate-resources.ts";
import { referencedNames } from "../../push/referenced-names.ts";

const PREFIX = "extensions.istio.io/wasmplugin/";

/** A workload that is reached by HTTP on 9080 and by TCP on 9000, and calls TCP port 9443. */
const MESH: Manifest[] = [
  service("a"),
  pod("a-v1", "10.0.0.1"),
  service("b", { ports: [{ name: "tcp", port: 9443 }] }),
  pod("b-v1", "10.0.0.2"),
  object("Sidecar", "a", {
    workloadSelector: { labels: { app: "a" } },
    ingress: [
      { port: { number: 9080, protocol: "HTTP", name: "http" }, captureMode: "NONE", defaultEndpoint: "127.0.0.1:81" },
      { port: { number: 9000, protocol: "TCP", name: "tcp" }, captureMode: "NONE", defaultEndpoint: "127.0.0.1:82" },
    ],
    egress: [
      {
        port: { number: 9443, protocol: "TCP", name: "tcp" },
        ...{ bind: "127.0.0.1", captureMode: "NONE", hosts: ["default/b.default.svc.cluster.local"] },
      },
    ],
  }),
  object("AuthorizationPolicy", "a", { action: "DENY", rules: [{ from: [{ source: { ipBlocks: ["1.2.3.4"] } }] }] }),
];
const A = proxy("a-v1", { interceptionMode: "NONE", ipAddresses: ["10.0.0.1"] });

const plugin = (name: string, spec: Manifest = {}) =>
  object("WasmPlugin", name, { url: "r.example/p:v1", type: "NETWORK", ...spec });

function inputOf(objects: readonly Manifest[]) {
  return { proxy: A, push: pushOf([...MESH, ...objects]), telemetry: "none" as const };
}

function listener(objects: readonly Manifest[], name: string): Listener | undefined {
  const found = generate(inputOf(objects), TypeUrl.listener, "wildcard")?.find((one) => one.name === name);
  return found?.message as Listener | undefined;
}

function filters(objects: readonly Manifest[], name: string): string[] {
  const chain = listener(objects, name)?.filterChains[0];
  return (chain?.filters ?? []).map((filter) => filter.name.replace(PREFIX, "").replace("envoy.filters.network.", ""));
}

describe("a WasmPlugin of type NETWORK", () => {
  const phases = ["STATS", "AUTHZ", "AUTHN", "UNSPECIFIED_PHASE"];
  const objects = phases.map((phase) => plugin(phase.toLowerCase().replaceAll("_", "-"), { phase }));

  it("stands in the chains of connections, by its phase around the policies", () => {
    expect(filters(objects, "10.0.0.1_9000")).toEqual([
      ...["default.authn", "default.authz", "rbac", "default.stats", "default.unspecified-phase", "tcp_proxy"],
    ]);
    expect(filters(objects, "127.0.0.1_9443")).toEqual([
      ...["default.authn", "default.authz", "default.stats", "default.unspecified-phase", "tcp_proxy"],
    ]);
  });

  it("stands before what reads the requests of connections that come in", () => {
    expect(filters(objects, "10.0.0.1_9080")).toEqual([
      ...["default.authn", "default.authz", "default.stats", "default.unspecified-phase"],
      "http_connection_manager",
    ]);
  });

  it("goes by mode and port as one for HTTP does", () => {
    const some = [
      plugin("client", { match: [{ mode: "CLIENT" }] }),
      plugin("server", { match: [{ mode: "SERVER", ports: [{ number: 9000 }] }] }),
    ];
    expect(filters(some, "10.0.0.1_9000")).toContain("default.server");
    expect(filters(some, "10.0.0.1_9000")).not.toContain("default.client");
    expect(filters(some, "10.0.0.1_9080")).not.toContain("default.server");
    expect(filters(some, "127.0.0.1_9443")).toEqual(["default.client", "tcp_proxy"]);
  });

  it.each([
    ["FAIL_OPEN", undefined],
    ["FAIL_CLOSE", {}],
  ])("until it is there lets connections through or not, by %s", (failStrategy, rules) => {
    const all = listener([plugin("p", { failStrategy })], "10.0.0.1_9000")?.filterChains[0]?.filters ?? [];
    const found = all.find(({ name }) => name.startsWith(PREFIX));
    if (found?.configType.case !== "configDiscovery") throw new Error("no discovered filter");
    const { defaultConfig, typeUrls } = found.configType.value;
    if (defaultConfig === undefined) throw new Error("no default");
    const unpacked = unpackAnyAs(defaultConfig, RBACSchema);
    if (unpacked.faults !== undefined) throw new Error("the default is no network RBAC");
    expect((toJson(RBACSchema, unpacked.message) as { rules?: object }).rules).toEqual(rules);
    expect(typeUrls).toEqual([
      "type.googleapis.com/envoy.extensions.filters.network.wasm.v3.Wasm",
      "type.googleapis.com/envoy.extensions.filters.network.rbac.v3.RBAC",
    ]);
  });

  it("is asked for by the proxy, and its listeners say that they come of it", () => {
    const input = inputOf([plugin("p")]);
    expect([...referencedNames(input, TypeUrl.extensionConfig)]).toEqual([`${PREFIX}default.p`]);
    const made = generate(input, TypeUrl.listener, "wildcard") ?? [];
    for (const { name, provenance } of made.filter(({ message }) => (message as Listener).filterChains.length > 0))
      expect(
        provenance.map(({ config }) => config.kind),
        `${name} ${ListenerSchema.typeName}`,
      ).toContain("WasmPlugin");
  });
});
