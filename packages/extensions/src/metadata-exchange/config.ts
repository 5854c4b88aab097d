import { JsonValue, RootContext } from "@mixerless/sdk";
import { member, readConfiguration, texts, warnOfUnknown } from "../configuration.ts";

const NAME: string = "metadata_exchange";
const DEFAULT_CACHE_SIZE: i32 = 500;
const MAXIMUM_CACHE_SIZE: i32 = 100000;

const KNOWN: string[] = [
  "downstream_discovery",
  "upstream_discovery",
  "downstream_propagation",
  "upstream_propagation",
  "shared_with_upstream",
  "additional_labels",
  "max_peer_cache_size",
];

/** What one metadata exchange does. */
export class ExchangeConfig {
  /** Read and strip the headers of requests. */
  downstreamDiscovery: boolean = false;
  /** Read and strip the headers of responses. */
  upstreamDiscovery: boolean = false;
  /** Answer with own headers, those that the request had. */
  downstreamPropagation: boolean = false;
  /** Send own headers with requests. */
  upstreamPropagation: boolean = false;
  skipExternalClusters: boolean = false;
  /** Node labels that are sent beside the standard four. */
  additionalLabels: string[] = [];
  /** Peers that are kept by id; 0 keeps none. */
  maxPeerCacheSize: i32 = DEFAULT_CACHE_SIZE;
}

/** `io.istio.http.peer_metadata.Config`: what is not listed does not happen. Null, after a log line, if it is not JSON. */
export function readPeerMetadataConfig(root: RootContext, text: string): ExchangeConfig | null {
  const object = readConfiguration(root, NAME, text);
  if (object === null) return null;
  const config = common(root, object);
  config.downstreamDiscovery = headersMethod(object, "downstream_discovery") !== null;
  config.upstreamDiscovery = headersMethod(object, "upstream_discovery") !== null;
  config.downstreamPropagation = headersMethod(object, "downstream_propagation") !== null;
  const upstream = headersMethod(object, "upstream_propagation");
  config.upstreamPropagation = upstream !== null;
  if (upstream !== null) config.skipExternalClusters = skipsExternal(upstream);
  return config;
}

/**
 * The Wasm-era plugin, whose configuration names no methods: inbound it learns from requests and answers; otherwise it
 * strips what arrives, sends its own headers and learns from responses.
 */
export function readPluginConfig(root: RootContext, text: string, inbound: boolean): ExchangeConfig | null {
  const object = readConfiguration(root, NAME, text);
  if (object === null) return null;
  const config = common(root, object);
  config.downstreamDiscovery = true;
  config.downstreamPropagation = inbound;
  config.upstreamDiscovery = !inbound;
  config.upstreamPropagation = !inbound;
  return config;
}

function common(root: RootContext, object: JsonValue): ExchangeConfig {
  warnOfUnknown(root, NAME, object, KNOWN);
  const config = new ExchangeConfig();
  config.additionalLabels = texts(member(object, "additional_labels"));
  const size = member(object, "max_peer_cache_size");
  if (size !== null) {
    const wanted: i32 = size.asInteger(DEFAULT_CACHE_SIZE);
    config.maxPeerCacheSize = wanted < 0 ? 0 : wanted > MAXIMUM_CACHE_SIZE ? MAXIMUM_CACHE_SIZE : wanted;
  }
  return config;
}

/** The `istio_headers` method of a list, or null. Other methods (workload discovery) are the host's. */
function headersMethod(object: JsonValue, list: string): JsonValue | null {
  const methods = member(object, list);
  if (methods === null) return null;
  for (let i: i32 = 0; i < methods.items.length; i++) {
    const method = member(methods.items[i]!, "istio_headers");
    if (method !== null) return method;
  }
  return null;
}

function skipsExternal(method: JsonValue): boolean {
  const skip = member(method, "skip_external_clusters");
  return skip === null ? false : skip.asBoolean(false);
}
