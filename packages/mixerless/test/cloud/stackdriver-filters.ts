type Layer = "http" | "network";

/** One patch of the bundle, for a side and a version. */
interface Patch {
  readonly context: "SIDECAR_INBOUND" | "SIDECAR_OUTBOUND" | "GATEWAY";
  readonly root: string;
  readonly configuration: object;
}

const OUTBOUND = { access_logging: "ERRORS_ONLY" };
const INBOUND = {
  ...{ disable_server_access_logging: false, access_logging: "ERRORS_ONLY", disable_host_header_fallback: true },
};

/** EnvoyFilters as Istio's charts installed them for one release (1.6 to 1.9): stackdriver in the null VM, HTTP and TCP. */
export function stackdriverFilters(release: string): string {
  const patches: Patch[] = [
    { context: "SIDECAR_OUTBOUND", root: "stackdriver_outbound", configuration: OUTBOUND },
    { context: "SIDECAR_INBOUND", root: "stackdriver_inbound", configuration: INBOUND },
    { context: "GATEWAY", root: "stackdriver_outbound", configuration: OUTBOUND },
  ];
  return (["http", "network"] as const).map((layer) => envoyFilter(layer, release, patches)).join("---\n");
}

function envoyFilter(layer: Layer, release: string, patches: Patch[]): string {
  const filter = {
    apiVersion: "networking.istio.io/v1alpha3",
    kind: "EnvoyFilter",
    metadata: {
      name: `${layer === "http" ? "" : "tcp-"}stackdriver-filter-${release}`,
      namespace: "istio-system",
      labels: { "istio.io/rev": "default" },
    },
    spec: { configPatches: patches.map((patch) => patchOf(layer, patch, `^${release.replace(".", "\\.")}.*`)) },
  };
  // JSON is YAML.
  return `${JSON.stringify(filter, null, 2)}\n`;
}

/** The filter that it goes before. */
const BEFORE = {
  http: {
    name: "envoy.filters.network.http_connection_manager",
    subFilter: { name: "envoy.filters.http.router" },
  },
  network: { name: "envoy.filters.network.tcp_proxy" },
};

function patchOf(layer: Layer, { context, root, configuration }: Patch, proxyVersion: string) {
  return {
    applyTo: layer === "http" ? "HTTP_FILTER" : "NETWORK_FILTER",
    match: { context, proxy: { proxyVersion }, listener: { filterChain: { filter: BEFORE[layer] } } },
    patch: {
      operation: "INSERT_BEFORE",
      value: { name: "istio.stackdriver", typed_config: plugin(layer, root, configuration) },
    },
  };
}

function plugin(layer: Layer, root: string, configuration: object) {
  const value = `${JSON.stringify(configuration)}\n`;
  return {
    "@type": "type.googleapis.com/udpa.type.v1.TypedStruct",
    type_url: `type.googleapis.com/envoy.extensions.filters.${layer}.wasm.v3.Wasm`,
    value: {
      config: {
        root_id: root,
        vm_config: {
          vm_id: root,
          runtime: "envoy.wasm.runtime.null",
          code: { local: { inline_string: "envoy.wasm.null.stackdriver" } },
        },
        configuration: { "@type": "type.googleapis.com/google.protobuf.StringValue", value },
      },
    },
  };
}
