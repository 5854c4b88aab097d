import { CONTROL_PLANE_NAME } from "@mixerless/identity";
import { type Json, nodeId, nodeMetadata, serviceCluster, type WorkloadIdentity } from "./node-identity.ts";
import { statsConfig } from "./stats-config.ts";

/** Where a sidecar listens and whom it asks. */
export interface SidecarAddresses {
  /** Address of admin, status, Prometheus and health ports. */
  readonly ip: string;
  readonly adminPort: number;
  readonly prometheusPort: number;
  readonly healthPort: number;
  /** The agent's own port (15020): merged metrics, health. */
  readonly statusPort: number;
  /** Source address of upstream connections; null: any. */
  readonly sourceIp: string | null;
  /** Pilot's xDS; by TLS where the agent has a certificate. */
  readonly discovery: { readonly host: string; readonly port: number; readonly secure?: boolean };
  /** Unix socket on which the agent offers secrets, for an Envoy. */
  readonly secretSocket?: string;
}

/**
 * The static part of a proxy's configuration, as canonical JSON of `envoy.config.bootstrap.v3.Bootstrap`:
 * admin, the clusters of the agent and of pilot, and the listeners for Prometheus and health [control-plane §4.10].
 * The user agent decides which filters pilot sends [decision 2]; a stock Envoy knows no `istio.*` filter.
 */
export function createBootstrap(
  identity: WorkloadIdentity,
  addresses: SidecarAddresses,
  environment: Readonly<Record<string, string | undefined>>,
  userAgentName: "mixerless" | "envoy" = "mixerless",
): Json {
  const { ip, discovery } = addresses;
  const { labels } = identity;
  // As upstream's injection does it: by this label the control plane knows who has a certificate to show.
  const shown = discovery.secure === true ? { ...identity, labels: { ...labels, [TLS_MODE]: "istio" } } : identity;
  const metadata = nodeMetadata(shown, environment);
  return {
    node: {
      id: nodeId(identity),
      cluster: serviceCluster(identity),
      metadata: { ...portMetadata(addresses), ...metadata },
      locality: { region: identity.locality.region, zone: identity.locality.zone, subZone: identity.locality.subZone },
      userAgentName,
    },
    admin: { address: socketAddress(ip, addresses.adminPort) },
    dynamicResources: {
      adsConfig: {
        apiType: "DELTA_GRPC",
        transportApiVersion: "V3",
        setNodeOnFirstMessageOnly: true,
        grpcServices: [{ envoyGrpc: { clusterName: "xds-grpc" } }],
      },
      cdsConfig: { ads: {}, initialFetchTimeout: "0s", resourceApiVersion: "V3" },
      ldsConfig: { ads: {}, initialFetchTimeout: "0s", resourceApiVersion: "V3" },
    },
    ...(userAgentName === "envoy" ? {} : { statsConfig: statsConfig(metadata, identity.instanceIps) }),
    ...(addresses.sourceIp === null
      ? {}
      : { clusterManager: { upstreamBindConfig: { sourceAddress: { address: addresses.sourceIp, portValue: 0 } } } }),
    staticResources: {
      clusters: [
        staticCluster("prometheus_stats", ip, addresses.adminPort),
        staticCluster("agent", ip, addresses.statusPort),
        staticCluster("xds-grpc", discovery.host, discovery.port, {
          ...(userAgentName === "envoy" ? HTTP2 : {}),
          ...(discovery.secure === true ? CONTROL_PLANE_TLS : {}),
        }),
        ...(addresses.secretSocket === undefined ? [] : [secretCluster(addresses.secretSocket)]),
      ],
      listeners: [
        forwardingListener(ip, addresses.prometheusPort, "/stats/prometheus", "prometheus_stats"),
        forwardingListener(ip, addresses.healthPort, "/healthz/ready", "agent"),
      ],
    },
  };
}

/** As much of a bootstrap as it takes to hear which roots the mesh trusts, beside an Envoy whose stream is its own. */
export function createRootsBootstrap(
  { namespace, serviceAccount }: Pick<WorkloadIdentity, "namespace" | "serviceAccount">,
  discovery: { readonly host: string; readonly port: number },
): Json {
  return {
    node: {
      id: `sidecar~127.0.0.1~${serviceAccount}.${namespace}~${namespace}.svc.cluster.local`,
      cluster: serviceAccount,
      metadata: { GENERATOR: "roots", NAMESPACE: namespace, SERVICE_ACCOUNT: serviceAccount },
    },
    dynamicResources: {
      adsConfig: {
        apiType: "DELTA_GRPC",
        transportApiVersion: "V3",
        grpcServices: [{ envoyGrpc: { clusterName: "xds-grpc" } }],
      },
    },
    staticResources: { clusters: [staticCluster("xds-grpc", discovery.host, discovery.port, CONTROL_PLANE_TLS)] },
  };
}

const TLS_MODE = "security.istio.io/tlsMode";

/** A stock Envoy would speak HTTP/1.1 to the control plane; the embedded proxy has an xDS client of its own. */
const HTTP2: Record<string, Json> = {
  typedExtensionProtocolOptions: {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
      explicitHttpConfig: { http2ProtocolOptions: {} },
    },
  },
};

/** Where the agent's secrets come from; the embedded proxy has them from the agent in its own process. */
const FROM_AGENT: Json = {
  apiConfigSource: {
    apiType: "GRPC",
    transportApiVersion: "V3",
    setNodeOnFirstMessageOnly: true,
    grpcServices: [{ envoyGrpc: { clusterName: "sds-grpc" } }],
  },
  resourceApiVersion: "V3",
};

/** By the workload's own certificate, to the one that has the control plane's name under the mesh's root. */
const CONTROL_PLANE_TLS: Record<string, Json> = {
  transportSocket: {
    name: "envoy.transport_sockets.tls",
    typedConfig: {
      "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
      sni: CONTROL_PLANE_NAME,
      commonTlsContext: {
        alpnProtocols: ["h2"],
        tlsCertificateSdsSecretConfigs: [{ name: "default", sdsConfig: FROM_AGENT }],
        combinedValidationContext: {
          defaultValidationContext: {
            matchTypedSubjectAltNames: [{ sanType: "DNS", matcher: { exact: CONTROL_PLANE_NAME } }],
          },
          validationContextSdsSecretConfig: { name: "ROOTCA", sdsConfig: FROM_AGENT },
        },
      },
    },
  },
};

function secretCluster(path: string): Json {
  return {
    name: "sds-grpc",
    type: "STATIC",
    connectTimeout: "1s",
    ...HTTP2,
    loadAssignment: {
      clusterName: "sds-grpc",
      endpoints: [{ lbEndpoints: [{ endpoint: { address: { pipe: { path } } } }] }],
    },
  };
}

/** Istio's keys for the ports of a sidecar, so that whoever sees the node finds its admin and its series. */
function portMetadata({ adminPort, statusPort, prometheusPort, healthPort }: SidecarAddresses): Record<string, Json> {
  return {
    PROXY_CONFIG: { proxyAdminPort: adminPort, statusPort },
    ENVOY_PROMETHEUS_PORT: String(prometheusPort),
    ENVOY_STATUS_PORT: String(healthPort),
  };
}

function socketAddress(address: string, portValue: number): Json {
  return { socketAddress: { address, portValue } };
}

function staticCluster(name: string, host: string, port: number, more: Record<string, Json> = {}): Json {
  const isIp = /^[\d.]+$|:/.test(host);
  return {
    name,
    type: isIp ? "STATIC" : "STRICT_DNS",
    connectTimeout: "1s",
    ...more,
    loadAssignment: {
      clusterName: name,
      endpoints: [{ lbEndpoints: [{ endpoint: { address: socketAddress(host, port) } }] }],
    },
  };
}

/** A listener that passes one path prefix on and answers nothing else. */
function forwardingListener(ip: string, port: number, prefix: string, cluster: string): Json {
  return {
    name: `${ip}_${port}`,
    address: socketAddress(ip, port),
    filterChains: [
      {
        filters: [
          {
            name: "envoy.filters.network.http_connection_manager",
            typedConfig: {
              "@type":
                "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
              statPrefix: cluster,
              routeConfig: {
                virtualHosts: [
                  { name: "backend", domains: ["*"], routes: [{ match: { prefix }, route: { cluster } }] },
                ],
              },
              httpFilters: [
                {
                  name: "envoy.filters.http.router",
                  typedConfig: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
                },
              ],
            },
          },
        ],
      },
    ],
  };
}
