import { unpackAnyAs } from "@mixerless/wire";
import type { Cluster } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import type { Listener } from "@mixerless/wire/envoy/config/listener/v3/listener";
import { HttpConnectionManagerSchema } from "@mixerless/wire/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager";
import { TypeUrl } from "@mixerless/xds";
import type { Generated } from "../../generators/generated.ts";
import type { GeneratorInput, TelemetryMode } from "../../generators/generator-input.ts";
import type { ProxyNode } from "../../model/proxy-node.ts";
import type { PushContext } from "../../model/push-context.ts";
import { type Manifest, object, pod, proxy, service } from "../../model/testing/push-of.ts";
import { generate } from "../../push/generate-resources.ts";
import { referencedNames } from "../../push/referenced-names.ts";

function ingress(number: number, protocol: string): Manifest {
  return {
    port: { number, protocol, name: `${protocol.toLowerCase()}-${number}` },
    captureMode: "NONE",
    defaultEndpoint: `127.0.0.1:${number + 1}`,
  };
}

function egress(number: number, protocol: string): Manifest {
  return {
    port: { number, protocol, name: protocol.toLowerCase() },
    bind: "127.0.0.1",
    captureMode: "NONE",
    hosts: ["default/b.default.svc.cluster.local"],
  };
}

/** `a` serves HTTP on 9080 and TCP on 9000, and calls `b` by both; a gateway serves HTTP on 80 and TCP on 9000. */
export const MESH: readonly Manifest[] = [
  { kind: "MeshConfig", metadata: { name: "mesh" }, spec: { defaultProviders: { metrics: ["prometheus"] } } },
  service("a"),
  pod("a-v1", "10.0.0.1"),
  service("b", {
    ports: [
      { name: "http", port: 9080 },
      { name: "tcp", port: 9000 },
    ],
  }),
  pod("b-v1", "10.0.0.2"),
  object("Sidecar", "a", {
    workloadSelector: { labels: { app: "a" } },
    ingress: [ingress(9080, "HTTP"), ingress(9000, "TCP")],
    egress: [egress(9080, "HTTP"), egress(9000, "TCP")],
  }),
  object("Gateway", "g", {
    selector: { istio: "gateway" },
    servers: [
      { port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"] },
      { port: { number: 9000, name: "tcp", protocol: "TCP" }, hosts: ["*"] },
    ],
  }),
  object("VirtualService", "g", {
    gateways: ["g"],
    hosts: ["*"],
    http: [{ name: "to-b", route: [{ destination: { host: "b", port: { number: 9080 } } }] }],
    tcp: [{ match: [{ port: 9000 }], route: [{ destination: { host: "b", port: { number: 9000 } } }] }],
  }),
];

export function sidecar(facts: Partial<ProxyNode> = {}): ProxyNode {
  return proxy("a-v1", { interceptionMode: "NONE", ipAddresses: ["10.0.0.1"], istioVersion: "1.30.3", ...facts });
}

export function gateway(facts: Partial<ProxyNode> = {}): ProxyNode {
  return proxy("gateway", { type: "router", labels: { istio: "gateway" }, istioVersion: "1.30.3", ...facts });
}

export function inputOf(push: PushContext, proxy: ProxyNode, telemetry: TelemetryMode = "none"): GeneratorInput {
  return { push, proxy, telemetry };
}

/** By type: what the proxy asks for. */
export function resourcesOf(input: GeneratorInput, typeUrl: string): readonly Generated[] {
  return generate(input, typeUrl, referencedNames(input, typeUrl)) ?? [];
}

/** Each listener with the names of its filters; those of HTTP filters stand for the connection manager. */
export function filtersOf(input: GeneratorInput): Record<string, string[]> {
  const listeners = resourcesOf(input, TypeUrl.listener) as readonly Generated<Listener>[];
  return Object.fromEntries(
    listeners.map(({ name, message }) => [
      name,
      (message.filterChains[0]?.filters ?? []).flatMap((filter) => {
        if (filter.configType.case !== "typedConfig") return [filter.name];
        const manager = unpackAnyAs(filter.configType.value, HttpConnectionManagerSchema).message;
        return manager === undefined ? [filter.name] : manager.httpFilters.map(({ name }) => `http ${name}`);
      }),
    ]),
  );
}

/** Each cluster with the names of its filters. */
export function clusterFiltersOf(input: GeneratorInput): Record<string, string[]> {
  const clusters = resourcesOf(input, TypeUrl.cluster) as readonly Generated<Cluster>[];
  return Object.fromEntries(clusters.map(({ name, message }) => [name, message.filters.map((filter) => filter.name)]));
}
