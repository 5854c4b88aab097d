import { unpackAnyAs } from "@mixerless/wire";
import type { Listener } from "@mixerless/wire/envoy/config/listener/v3/listener";
import { HttpConnectionManagerSchema } from "@mixerless/wire/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager";
import { TypeUrl } from "@mixerless/xds";
import { describe, expect, it } from "vitest";
import { type Manifest, object, pod, proxy, pushOf, service } from "../../model/testing/push-of.ts";
import { PilotSource } from "../../push/pilot-source.ts";
import { generateListeners } from "../listeners/listeners.ts";

const MESH: Manifest = {
  kind: "MeshConfig",
  metadata: { name: "mesh" },
  spec: { defaultProviders: { metrics: ["prometheus"] } },
};

function ingress(number: number, protocol: string): Manifest {
  return {
    port: { number, protocol, name: `${protocol.toLowerCase()}-${number}` },
    captureMode: "NONE",
    defaultEndpoint: `127.0.0.1:${number + 1}`,
  };
}

/** A workload that serves HTTP and TCP and calls another, a second one, and a gateway. */
const WORKLOADS = [
  MESH,
  service("a"),
  pod("a-v1", "10.0.0.1"),
  service("b"),
  pod("b-v1", "10.0.0.2"),
  object("Sidecar", "a", {
    workloadSelector: { labels: { app: "a" } },
    ingress: [ingress(9080, "HTTP"), ingress(9000, "TCP")],
    egress: [
      {
        port: { number: 9080, protocol: "HTTP", name: "http" },
        bind: "127.0.0.1",
        captureMode: "NONE",
        hosts: ["default/b.default.svc.cluster.local"],
      },
    ],
  }),
  object("Sidecar", "b", {
    workloadSelector: { labels: { app: "b" } },
    ingress: [ingress(9080, "HTTP")],
    egress: [{ hosts: ["~/*"] }],
  }),
  object("Gateway", "g", {
    selector: { istio: "gateway" },
    servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"] }],
  }),
];
const POLICIES = [
  object("AuthorizationPolicy", "istio-system/everywhere", {
    action: "DENY",
    rules: [{ to: [{ operation: { ports: ["1"] } }] }],
  }),
  object("AuthorizationPolicy", "a-only", { selector: { matchLabels: { app: "a" } }, rules: [{}] }),
];

const TOKENS = object("RequestAuthentication", "tokens", {
  selector: { matchLabels: { app: "a" } },
  jwtRules: [{ issuer: "https://a", jwksUri: "https://a/keys" }],
});

const A = proxy("a-v1", { interceptionMode: "NONE", ipAddresses: ["10.0.0.1"] });
const B = proxy("b-v1", { interceptionMode: "NONE", ipAddresses: ["10.0.0.2"] });
const GATEWAY = proxy("gateway", { type: "router", labels: { istio: "gateway" } });

function listeners(of: typeof A) {
  const made = generateListeners({ proxy: of, push: pushOf([...WORKLOADS, ...POLICIES, TOKENS]), telemetry: "native" });
  return new Map(made.map(({ name, message, provenance }) => [name, { message, provenance }]));
}

function networkFilters(listener: Listener | undefined) {
  return listener?.filterChains[0]?.filters.map(({ name }) => name);
}

function httpFilters(listener: Listener | undefined) {
  const manager = listener?.filterChains[0]?.filters.at(-1)?.configType.value;
  if (manager === undefined) throw new Error("no filters");
  const unpacked = unpackAnyAs(manager as Parameters<typeof unpackAnyAs>[0], HttpConnectionManagerSchema);
  if (unpacked.faults !== undefined) throw new Error(JSON.stringify(unpacked.faults));
  return unpacked.message.httpFilters.map(({ name }) => name);
}

const RBAC = "envoy.filters.http.rbac";

describe("who judges what", () => {
  it("inbound HTTP: behind the exchange of metadata, before all that answers", () => {
    expect(httpFilters(listeners(A).get("10.0.0.1_9080")?.message)).toEqual([
      "istio.metadata_exchange",
      // Policies ask for what tokens say.
      "envoy.filters.http.jwt_authn",
      RBAC,
      RBAC,
      "envoy.filters.http.fault",
      "envoy.filters.http.cors",
      "istio.stats",
      "envoy.filters.http.router",
    ]);
  });

  it("inbound TCP: before the metrics and the proxy", () => {
    expect(networkFilters(listeners(A).get("10.0.0.1_9000")?.message)).toEqual([
      "envoy.filters.network.rbac",
      "envoy.filters.network.rbac",
      "istio.stats",
      "envoy.filters.network.tcp_proxy",
    ]);
  });

  it("outbound: nobody", () => {
    const filters = httpFilters(listeners(A).get("127.0.0.1_9080")?.message);
    for (const judge of [RBAC, "envoy.filters.http.jwt_authn"]) expect(filters).not.toContain(judge);
  });

  it("gateway: by the policies of the root namespace and its own", () => {
    const made = listeners(GATEWAY).get("0.0.0.0_80");
    expect(httpFilters(made?.message).filter((name) => name === RBAC)).toHaveLength(1);
    expect(made?.provenance.map(({ config }) => config.name)).toEqual(["g", "everywhere"]);
  });

  it("says which policies made a listener", () => {
    const { provenance = [] } = listeners(A).get("10.0.0.1_9080") ?? {};
    expect(provenance.map(({ config, path }) => `${config.kind} ${config.name} ${path}`)).toEqual([
      "Sidecar a spec.ingress[0]",
      "Service a ",
      "RequestAuthentication tokens spec",
      "AuthorizationPolicy everywhere spec",
      "AuthorizationPolicy a-only spec",
    ]);
  });
});

describe("a policy that changes", () => {
  it.each([
    { policy: POLICIES[1] as Manifest, of: ["10.0.0.1_9080", "10.0.0.1_9000"] },
    // A connection carries no token.
    { policy: TOKENS, of: ["10.0.0.1_9080"] },
  ])(
    "changes the listeners of the workloads that it selects, and nothing else: $policy.kind",
    ({ policy, of: names }) => {
      const before = new PilotSource(pushOf(WORKLOADS), "native");
      const after = new PilotSource(pushOf([...WORKLOADS, policy]), "native");
      const versions = (source: PilotSource, of: typeof A, typeUrl: string) =>
        [...(source.generate(of, typeUrl, "wildcard") ?? [])].map(([name, { version }]) => `${name} ${version}`);
      const changed = (of: typeof A, typeUrl: string) => {
        const old = versions(before, of, typeUrl);
        return versions(after, of, typeUrl)
          .filter((entry) => !old.includes(entry))
          .map((entry) => entry.split(" ")[0]);
      };
      expect(changed(A, TypeUrl.listener)).toEqual(names);
      for (const other of [B, GATEWAY]) expect(changed(other, TypeUrl.listener)).toEqual([]);
      for (const type of [TypeUrl.cluster, TypeUrl.endpoint, TypeUrl.route]) expect(changed(A, type)).toEqual([]);
    },
  );
});
