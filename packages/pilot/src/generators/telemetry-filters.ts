import type { JsonObject } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { MetadataExchangeSchema } from "@mixerless/wire/istio/metadata_exchange/config";
import type { GeneratorInput } from "./generator-input.ts";
import { DRY_RUN_LABELS, isOn } from "./mesh-switches.ts";
import { typed, typedStruct } from "./proto.ts";
import { wasmPlugin } from "./wasm-plugin.ts";

const EXCHANGE = "/etc/istio/extensions/metadata-exchange-filter.wasm";
const STATS = "/etc/istio/extensions/stats-filter.wasm";

/** Which side of a request a filter chain is on; a gateway reports as a client does. */
export type ListenerClass = "inbound" | "outbound" | "gateway";

export interface NamedFilter {
  readonly name: string;
  readonly config: Any;
}

/**
 * Istio's own filters in their native form. Only the embedded proxy has them: a stock Envoy would
 * refuse the whole listener for the unknown type [decision 2, control-plane §0]. A proxy may ask for none.
 */
export function hasNativeTelemetry({ proxy, push, telemetry }: GeneratorInput): boolean {
  const wanted = (telemetry === "native" || telemetry === "wasm") && proxy.metadata.MIXERLESS_TELEMETRY !== "none";
  return wanted && proxy.userAgentName === "mixerless" && metricsEnabled(push.mesh);
}

function metricsEnabled(mesh: GeneratorInput["push"]["mesh"]): boolean {
  const prometheus = new Set(
    mesh.extensionProviders
      .filter((provider) => provider.type === "prometheus")
      .map((provider) => provider.name.toLowerCase()),
  );
  return mesh.defaultProviders.metrics.some(
    (name) => prometheus.has(name.toLowerCase()) || name.toLowerCase() === "prometheus",
  );
}

/** The exchange of peer metadata by headers; the first HTTP filter [control-plane §2.3]. */
export function metadataExchangeFilter({ telemetry }: GeneratorInput, listenerClass: ListenerClass): NamedFilter {
  const name = "istio.metadata_exchange";
  // As a plugin it knows by the listener's direction what to do.
  if (telemetry === "wasm")
    return {
      name,
      config: wasmPlugin({ name, vmId: "metadata_exchange", module: EXCHANGE, configuration: {} }),
    };
  const discovery = [{ istio_headers: {} }, { workload_discovery: {} }];
  // Decision 5: what describes a workload is told to mesh peers only.
  const config: JsonObject =
    listenerClass === "inbound"
      ? { downstream_discovery: discovery, downstream_propagation: [{ istio_headers: {} }] }
      : { upstream_discovery: discovery, upstream_propagation: [{ istio_headers: { skip_external_clusters: true } }] };
  return { name, config: typedStruct("io.istio.http.peer_metadata.Config", config) };
}

/** The exchange of peer metadata at the beginning of TCP connections; the first network filter [telemetry §2.4]. */
export function tcpExchangeFilter(): NamedFilter {
  return {
    name: "istio.metadata_exchange",
    config: typed(MetadataExchangeSchema, { protocol: "istio-peer-exchange" }),
  };
}

/** The metrics; after fault and cors, before the router. */
export function statsFilter(
  { push, telemetry }: GeneratorInput,
  listenerClass: ListenerClass,
  transport: "http" | "network",
): NamedFilter {
  const config: JsonObject =
    listenerClass === "outbound"
      ? {}
      : {
          // An inbound host may be anything that a client made up [telemetry §3.4].
          disable_host_header_fallback: true,
          ...(isOn(push.mesh, DRY_RUN_LABELS) && { metrics: [{ dimensions: dryRunLabels(transport) }] }),
        };
  const name = "istio.stats";
  // Connections have no Wasm filter in the embedded proxy.
  if (telemetry !== "wasm" || transport === "network")
    return { name, config: typedStruct("stats.PluginConfig", config) };
  return { name, config: wasmPlugin({ name, vmId: "stats", module: STATS, configuration: config }) };
}

/** What policies on trial would have done: `allowed`, `denied`, or `unknown` where nothing is on trial. */
function dryRunLabels(transport: "http" | "network"): Record<string, string> {
  const result = (action: string) =>
    `metadata.filter_metadata['envoy.filters.${transport}.rbac'].istio_dry_run_${action}_shadow_engine_result`;
  return { dry_run_allow: result("allow"), dry_run_deny: result("deny") };
}
