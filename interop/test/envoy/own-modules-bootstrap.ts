import { join } from "node:path";

export type Side = "inbound" | "outbound";
/** In the embedded proxy in process or as modules, or as modules in Envoy. */
export type Form = "in process" | "modules" | "envoy";

export interface SidecarOptions {
  readonly side: Side;
  readonly form: Form;
  readonly port: number;
  readonly target: number;
  readonly adminPort: number;
  /** Where the modules are. */
  readonly modules: string;
}

const WASM = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
const HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
const STRING = "type.googleapis.com/google.protobuf.StringValue";

/** What Istio's bootstrap of the days of these filters takes out of a metric's name. */
const LABELS = [
  ...["reporter", "source_app", "source_canonical_service", "source_canonical_revision", "source_cluster"],
  ...["source_namespace", "source_principal", "source_version", "source_workload", "source_workload_namespace"],
  ...["destination_app", "destination_canonical_service", "destination_canonical_revision", "destination_cluster"],
  ...["destination_namespace", "destination_principal", "destination_service", "destination_service_name"],
  ...["destination_service_namespace", "destination_version", "destination_workload"],
  ...["destination_workload_namespace", "request_protocol", "response_code", "response_flags", "grpc_response_status"],
  ...["connection_security_policy"],
];

function workload(name: string): object {
  return {
    NAME: `${name}-1`,
    NAMESPACE: "default",
    WORKLOAD_NAME: name,
    CLUSTER_ID: "Kubernetes",
    MESH_ID: "cluster.local",
    OWNER: `kubernetes://apis/apps/v1/namespaces/default/deployments/${name}`,
    LABELS: { app: name, version: "v1", "service.istio.io/canonical-name": name },
  };
}

function plugin(name: string, rootId: string, configuration: string, { form, modules }: SidecarOptions): object {
  const code =
    form === "in process"
      ? { local: { inlineString: `envoy.wasm.${name}` } }
      : { local: { filename: join(modules, `${name}.wasm`) } };
  const runtime = `envoy.wasm.runtime.${form === "in process" ? "null" : "v8"}`;
  const vmConfig = { vmId: rootId, runtime, code, allowPrecompiled: true };
  const config = { name, rootId, vmConfig, configuration: { "@type": STRING, value: configuration } };
  return { name: `istio.${name}`, typedConfig: { "@type": WASM, config } };
}

/** A sidecar with one listener, measured as Istio's EnvoyFilters of release 1.9 have it. */
export function sidecarBootstrap(options: SidecarOptions): object {
  const { side, port, target, adminPort } = options;
  const address = (portValue: number) => ({ socketAddress: { address: "127.0.0.1", portValue } });
  const name = side === "inbound" ? "shop" : "web";
  const cluster = side === "inbound" ? "inbound|9080||" : "outbound|9080||shop.default.svc.cluster.local";
  const services = [{ host: "shop.default.svc.cluster.local", name: "shop", namespace: "default" }];
  const manager = {
    "@type": HCM,
    statPrefix: side,
    routeConfig: {
      virtualHosts: [{ name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster } }] }],
    },
    httpFilters: [
      plugin("metadata_exchange", "", "{}", options),
      plugin("stats", `stats_${side}`, JSON.stringify({ debug: "false", stat_prefix: "istio" }), options),
      { name: "envoy.filters.http.router", typedConfig: { "@type": ROUTER } },
    ],
  };
  return {
    node: {
      id: `sidecar~127.0.0.1~${name}-1.default~default.svc.cluster.local`,
      cluster: `${name}.default`,
      metadata: workload(name),
    },
    admin: { address: address(adminPort) },
    ...(options.form === "envoy"
      ? {
          // Envoy shows histograms as they were at the last flush.
          statsFlushInterval: "0.1s",
          statsConfig: {
            useAllDefaultTags: true,
            statsTags: LABELS.map((tagName) => ({ tagName, regex: `(${tagName}=\\.=(.*?);\\.;)` })),
          },
        }
      : {}),
    staticResources: {
      listeners: [
        {
          name: side,
          trafficDirection: side.toUpperCase(),
          address: address(port),
          filterChains: [{ filters: [{ name: "http", typedConfig: manager }] }],
        },
      ],
      clusters: [
        {
          name: cluster,
          type: "STATIC",
          connectTimeout: "5s",
          metadata: { filterMetadata: { istio: { services } } },
          loadAssignment: {
            clusterName: cluster,
            endpoints: [{ lbEndpoints: [{ endpoint: { address: address(target) } }] }],
          },
        },
      ],
    },
  };
}
