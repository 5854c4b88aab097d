import type { JsonObject } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { MetadataExchangeSchema } from "@mixerless/wire/istio/metadata_exchange/config";
import type { GeneratorInput } from "./generator-input.ts";
import { typed, typedStruct } from "./proto.ts";
import { statsConfig } from "./stats-config.ts";
import type { ListenerClass } from "./telemetry-of.ts";
import { wasmPlugin } from "./wasm-plugin.ts";

const EXCHANGE = "/etc/istio/extensions/metadata-exchange-filter.wasm";
const STATS = "/etc/istio/extensions/stats-filter.wasm";

export interface NamedFilter {
  readonly name: string;
  readonly config: Any;
}

/**
 * Istio's own filters, in their native form or as our modules. Only the embedded proxy has them: a stock Envoy would refuse
 * the whole listener for the unknown type [decision 2, control-plane §0]. A proxy may ask for none. Peers are asked who
 * they are even where nothing is measured, as upstream does: what the other side measures needs the answer.
 */
export function hasOwnFilters({ proxy, telemetry }: GeneratorInput): boolean {
  const wanted = (telemetry === "native" || telemetry === "wasm") && proxy.metadata.MIXERLESS_TELEMETRY !== "none";
  return wanted && proxy.userAgentName === "mixerless";
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

/** The metrics; after fault and cors, before the router. None where nothing is measured. */
export function statsFilters(
  input: GeneratorInput,
  listenerClass: ListenerClass,
  transport: "http" | "network",
): readonly NamedFilter[] {
  const config = hasOwnFilters(input) ? statsConfig(input, listenerClass, transport) : undefined;
  if (config === undefined) return [];
  const name = "istio.stats";
  // Connections have no Wasm filter in the embedded proxy.
  if (input.telemetry !== "wasm" || transport === "network")
    return [{ name, config: typedStruct("stats.PluginConfig", config) }];
  return [{ name, config: wasmPlugin({ name, vmId: "stats", module: STATS, configuration: config }) }];
}
