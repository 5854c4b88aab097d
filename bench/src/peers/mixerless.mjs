import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { listening, PROXY_CPU, startProgram } from "../process.mjs";

const PROGRAM = fileURLToPath(new URL("../programs/sidecar.mjs", import.meta.url));
const COMMAND = fileURLToPath(new URL("../../../packages/mixerless/bin/mixerless.js", import.meta.url));

export const mixerless = {
  name: "mixerless",
  program: process.execPath,
  /**
   * `features`: `log`, `stats`, `exchange`, `routing`, each a boolean; `plugin`, a Wasm module in base64; `concurrency`, a number, for the command
   * with so many processes; `nodeOptions` for profiles.
   */
  async start({ port, backendPort, directory, features, label = "mixerless", nodeOptions = [] }) {
    const file = join(directory, `${label}.json`);
    writeFileSync(file, JSON.stringify(bootstrap(port, backendPort, join(directory, `${label}.log.json`), features)));
    const options = [...nodeOptions, ...(process.env.BENCH_NODE_OPTIONS ?? "").split(" ").filter((one) => one !== "")];
    const output = join(directory, `${label}.out`);
    const child = startProgram(PROXY_CPU, process.execPath, [...options, ...program(file, features)], output);
    await listening(child, port, "mixerless");
    return { name: label, child, port, output };
  },
};

function program(file, { concurrency }) {
  if (concurrency === undefined) return [PROGRAM, file];
  return [COMMAND, "proxy", "-c", file, "--drain-time", "1ms", "--concurrency", String(concurrency)];
}

/** A bootstrap of one listener that forwards to one backend. */
export function bootstrap(port, backendPort, logFile, features) {
  return {
    node: {
      id: "sidecar~127.0.0.1~details-v1-5f4d584748-7bz9x.default~default.svc.cluster.local",
      cluster: "details.default",
      userAgentName: "mixerless",
      metadata: {
        NAME: "details-v1-5f4d584748-7bz9x",
        NAMESPACE: "default",
        WORKLOAD_NAME: "details-v1",
        CLUSTER_ID: "Kubernetes",
        OWNER: "kubernetes://apis/apps/v1/namespaces/default/deployments/details-v1",
        ISTIO_VERSION: "1.30.3",
        LABELS: {
          app: "details",
          version: "v1",
          "service.istio.io/canonical-name": "details",
          "service.istio.io/canonical-revision": "v1",
          "pod-template-hash": "5f4d584748",
        },
      },
    },
    ...(features.admin === undefined ? {} : { admin: { address: socketAddress(features.admin) } }),
    staticResources: {
      clusters: [cluster("inbound|9080||", backendPort, features)],
      listeners: [listener(port, logFile, features)],
    },
  };
}

function cluster(name, port, { hostFallback, clientTls }) {
  return {
    name,
    type: "STATIC",
    ...(clientTls === undefined
      ? {}
      : { transportSocket: tlsSocket("UpstreamTlsContext", { sni: "server" }, clientTls) }),
    connectTimeout: "10s",
    // Without it the Host header stands for the service, if that is allowed.
    metadata: hostFallback
      ? {}
      : {
          filterMetadata: {
            istio: { services: [{ host: "details.default.svc.cluster.local", name: "details", namespace: "default" }] },
          },
        },
    loadAssignment: {
      clusterName: name,
      endpoints: [{ lbEndpoints: [{ endpoint: { address: socketAddress(port) } }] }],
    },
  };
}

function listener(port, logFile, features) {
  return {
    name: "inbound",
    address: socketAddress(port),
    trafficDirection: "INBOUND",
    filterChains: [
      {
        ...(features.serverTls === undefined ? {} : { transportSocket: serverSocket(features.serverTls) }),
        filters: [
          {
            name: "envoy.filters.network.http_connection_manager",
            typedConfig: {
              "@type":
                "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
              statPrefix: "inbound",
              routeConfig: { name: "inbound", virtualHosts: virtualHosts(features) },
              httpFilters: httpFilters(features),
              ...(features.log ? { accessLog: [jsonLog(logFile)] } : {}),
            },
          },
        ],
      },
    ],
  };
}

/** One route for everything; with `routing` beside others that don't match. */
function virtualHosts({ routing }) {
  const route = { cluster: "inbound|9080||", timeout: "0s" };
  const last = { name: "default", match: { prefix: "/" }, route };
  if (!routing) return [{ name: "all", domains: ["*"], routes: [last] }];
  const others = ["/admin", "/static", "/healthz"].map((prefix) => ({ name: prefix, match: { prefix }, route }));
  const header = { name: "end-user", stringMatch: { exact: "jason" } };
  return [
    { name: "ratings", domains: ["ratings.default.svc.cluster.local", "ratings"], routes: [last] },
    { name: "reviews", domains: ["*.reviews.example.com"], routes: [last] },
    {
      name: "details",
      domains: ["details.default.svc.cluster.local", "details.default", "details"],
      routes: [...others, { name: "jason", match: { prefix: "/", headers: [header] }, route }, last],
    },
    { name: "all", domains: ["*"], routes: [last] },
  ];
}

function httpFilters(features) {
  const router = {
    name: "envoy.filters.http.router",
    typedConfig: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
  };
  const exchange = typedStruct("istio.metadata_exchange", "io.istio.http.peer_metadata.Config", {
    downstream_discovery: [{ istio_headers: {} }, { workload_discovery: {} }],
    downstream_propagation: [{ istio_headers: {} }],
  });
  const stats = typedStruct("istio.stats", "stats.PluginConfig", {
    disable_host_header_fallback: features.hostFallback !== true,
  });
  const plugin = {
    name: "plugin",
    typedConfig: {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
      config: { name: "plugin", vmConfig: { code: { local: { inlineBytes: features.plugin } } } },
    },
  };
  return [
    ...(features.exchange ? [exchange] : []),
    ...(features.plugin ? [plugin] : []),
    ...(features.stats ? [stats] : []),
    router,
  ];
}

function typedStruct(name, type, value) {
  const typeUrl = `type.googleapis.com/${type}`;
  return { name, typedConfig: { "@type": "type.googleapis.com/udpa.type.v1.TypedStruct", typeUrl, value } };
}

/** The fields that nginx's log has in the same row. */
function jsonLog(path) {
  return {
    name: "envoy.access_loggers.file",
    typedConfig: {
      "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
      path,
      logFormat: {
        jsonFormat: {
          start_time: "%START_TIME%",
          method: "%REQ(:METHOD)%",
          path: "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
          protocol: "%PROTOCOL%",
          response_code: "%RESPONSE_CODE%",
          bytes_received: "%BYTES_RECEIVED%",
          bytes_sent: "%BYTES_SENT%",
          duration: "%DURATION%",
          user_agent: "%REQ(USER-AGENT)%",
          request_id: "%REQ(X-REQUEST-ID)%",
          authority: "%REQ(:AUTHORITY)%",
          upstream_host: "%UPSTREAM_HOST%",
          upstream_service_time: "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
          downstream_remote_address: "%DOWNSTREAM_REMOTE_ADDRESS%",
        },
      },
    },
  };
}

function socketAddress(portValue) {
  return { socketAddress: { address: "127.0.0.1", portValue } };
}

function serverSocket(tls) {
  // As nginx has it: `ssl_session_tickets off`.
  const fields = { requireClientCertificate: tls.ca !== undefined, disableStatelessSessionResumption: true };
  return tlsSocket("DownstreamTlsContext", fields, tls);
}

function tlsSocket(type, fields, { cert, key, ca }) {
  return {
    name: "envoy.transport_sockets.tls",
    typedConfig: {
      "@type": `type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.${type}`,
      ...fields,
      commonTlsContext: {
        alpnProtocols: ["http/1.1"],
        tlsCertificates: [{ certificateChain: { filename: cert }, privateKey: { filename: key } }],
        ...(ca === undefined ? {} : { validationContext: { trustedCa: { filename: ca } } }),
      },
    },
  };
}
