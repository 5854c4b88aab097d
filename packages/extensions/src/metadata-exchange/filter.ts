import {
  CONTINUE,
  DIRECTION_INBOUND,
  decodeBase64,
  encodeBase64,
  HeaderName,
  HeaderValue,
  Property,
  REQUEST_HEADERS,
  RESPONSE_HEADERS,
  RootContext,
  RootHandle,
  StateName,
  StreamContext,
  StreamHandle,
  toBytes,
  toText,
} from "@mixerless/sdk";
import { listenerDirection, streamDirection } from "../configuration.ts";
import { readPeer } from "../peer/peer.ts";
import { falseClaim } from "../peer/peer-claims.ts";
import {
  DOWNSTREAM_PEER,
  DOWNSTREAM_PEER_ID,
  PEER_NOT_FOUND,
  UPSTREAM_PEER,
  UPSTREAM_PEER_ID,
} from "../peer/peer-states.ts";
import { ExchangeConfig, readPeerMetadataConfig, readPluginConfig } from "./config.ts";
import { ownMetadata } from "./own-metadata.ts";
import { PeerCache } from "./peer-cache.ts";

// 16 KiB of metadata in base64. A longer header is stripped and not read.
const MAXIMUM_HEADER: i32 = 21848;
// A longer id is stripped and neither stored nor used as a key.
const MAXIMUM_ID: i32 = 1024;
/** Metadata that the peer's certificate contradicts. */
export const REFUSED: string = "mixerless_peer_metadata_refused_total";
const PASSTHROUGH_CLUSTER: string = "PassthroughCluster";

/** Metadata exchange over HTTP headers: tells peers who this proxy is and learns who they are. */
export class ExchangeRoot extends RootContext {
  readonly idHeader: HeaderName = new HeaderName("x-envoy-peer-metadata-id");
  readonly metadataHeader: HeaderName = new HeaderName("x-envoy-peer-metadata");
  readonly downstreamPeer: StateName = new StateName(DOWNSTREAM_PEER);
  readonly downstreamPeerId: StateName = new StateName(DOWNSTREAM_PEER_ID);
  readonly upstreamPeer: StateName = new StateName(UPSTREAM_PEER);
  readonly upstreamPeerId: StateName = new StateName(UPSTREAM_PEER_ID);
  readonly notFound: StateName = new StateName(PEER_NOT_FOUND);
  config: ExchangeConfig = new ExchangeConfig();
  ownId: HeaderValue = new HeaderValue("");
  ownMetadata: HeaderValue = new HeaderValue("");
  private readonly downstreamPrincipal: Property = new Property(["connection", "uri_san_peer_certificate"]);
  private readonly upstreamPrincipal: Property = new Property(["upstream", "uri_san_peer_certificate"]);
  private readonly plugin: boolean;
  private readonly clusterName: Property = new Property(["xds", "cluster_name"]);
  private readonly external: Property = clusterFlag("external");
  private readonly disabled: Property = clusterFlag("disable_mx");
  private cache: PeerCache = new PeerCache(0);
  /** A configuration whose meaning depends on the direction, until a stream tells it. */
  private undirected: string | null = null;

  /** `plugin`: configured as the Wasm-era plugin; else as the native `peer_metadata` filter. */
  constructor(host: RootHandle, plugin: boolean) {
    super(host);
    this.plugin = plugin;
  }

  override onConfigure(configuration: string): boolean {
    const direction: i32 = listenerDirection(this);
    if (this.plugin && direction < 0) this.undirected = configuration;
    return this.configure(configuration, direction === DIRECTION_INBOUND);
  }

  override createStream(host: StreamHandle): StreamContext {
    const stream = new ExchangeStream(host, this);
    const configuration = this.undirected;
    if (configuration !== null) {
      this.undirected = null;
      if (streamDirection(stream) === DIRECTION_INBOUND) this.configure(configuration, true);
    }
    return stream;
  }

  private configure(configuration: string, inbound: boolean): boolean {
    const config = this.plugin
      ? readPluginConfig(this, configuration, inbound)
      : readPeerMetadataConfig(this, configuration);
    if (config === null) return false;
    this.config = config;
    this.cache = new PeerCache(config.maxPeerCacheSize);
    const id = this.getString(new Property(["xds", "node", "id"]));
    this.ownId = new HeaderValue(id === null ? "" : id);
    this.ownMetadata = new HeaderValue(encodeBase64(toBytes(ownMetadata(this, config.additionalLabels))));
    return true;
  }

  /**
   * The peer's metadata as Struct bytes: from the cache if the id is known, else from the header. Null: not usable, or
   * not to be believed.
   */
  find(stream: StreamContext, map: i32, id: string | null): string | null {
    const proven = stream.getString(map === REQUEST_HEADERS ? this.downstreamPrincipal : this.upstreamPrincipal);
    const principal = proven === null ? "" : proven;
    // What one peer may say of itself, another may not say under the same id.
    const key = id === null || principal.length === 0 ? id : `${id} ${principal}`;
    if (key !== null) {
      const known = this.cache.get(key);
      if (known !== null) return known;
    }
    const header = stream.getHeader(map, this.metadataHeader);
    if (header === null) return null;
    const bytes = decodeBase64(header);
    if (bytes === null) return null;
    const metadata = toText(bytes, 0, bytes.length);
    const peer = readPeer(metadata);
    if (peer === null) return null;
    const claim = falseClaim(peer, principal);
    if (claim.length > 0) {
      this.counter(REFUSED, ["claim"], [claim]).add(1);
      return null;
    }
    if (key !== null) this.cache.put(key, metadata);
    return metadata;
  }

  /** Whether the cluster that this request goes to must not see the headers. */
  skipsUpstream(stream: StreamContext): boolean {
    if (stream.getNumber(this.disabled, 0) === 1) return true;
    if (!this.config.skipExternalClusters) return false;
    return stream.getNumber(this.external, 0) === 1 || stream.getString(this.clusterName) === PASSTHROUGH_CLUSTER;
  }
}

class ExchangeStream extends StreamContext {
  private readonly root: ExchangeRoot;
  private idAsked: boolean = false;
  private metadataAsked: boolean = false;

  constructor(host: StreamHandle, root: ExchangeRoot) {
    super(host);
    this.root = root;
  }

  override onRequestHeaders(_count: i32, _end: boolean): i32 {
    const root = this.root;
    if (root.config.downstreamDiscovery) {
      // Elsewhere it is the upstream whose absence ends the waiting.
      const last = !root.config.upstreamDiscovery;
      this.learn(REQUEST_HEADERS, root.downstreamPeer, root.downstreamPeerId, last);
    }
    if (root.config.upstreamPropagation && !root.skipsUpstream(this)) this.tell(REQUEST_HEADERS, true, true);
    return CONTINUE;
  }

  override onResponseHeaders(_count: i32, _end: boolean): i32 {
    const root = this.root;
    if (root.config.upstreamDiscovery) this.learn(RESPONSE_HEADERS, root.upstreamPeer, root.upstreamPeerId, true);
    if (root.config.downstreamPropagation) this.tell(RESPONSE_HEADERS, this.idAsked, this.metadataAsked);
    return CONTINUE;
  }

  /** Reads and strips the peer's headers. `last`: no other discovery follows. */
  private learn(map: i32, peer: StateName, peerId: StateName, last: boolean): void {
    const root = this.root;
    const idSize: i32 = this.headerSize(map, root.idHeader);
    const size: i32 = this.headerSize(map, root.metadataHeader);
    if (map === REQUEST_HEADERS) {
      this.idAsked = idSize > 0;
      this.metadataAsked = size > 0;
    }
    let id: string | null = null;
    if (idSize > 0 && idSize <= MAXIMUM_ID) id = this.getHeader(map, root.idHeader);
    // An id alone is not a peer, even if the cache knows it.
    const metadata = size > 0 && size <= MAXIMUM_HEADER ? root.find(this, map, id) : null;
    if (metadata !== null) this.setState(peer, metadata);
    else if (last) this.setState(root.notFound, "1");
    if (metadata !== null && id !== null) this.setState(peerId, id);
    if (idSize >= 0) this.removeHeader(map, root.idHeader);
    if (size >= 0) this.removeHeader(map, root.metadataHeader);
  }

  private tell(map: i32, id: boolean, metadata: boolean): void {
    const root = this.root;
    if (id && root.ownId.text.length > 0) this.replaceHeader(map, root.idHeader, root.ownId);
    if (metadata && root.ownMetadata.text.length > 0) this.replaceHeader(map, root.metadataHeader, root.ownMetadata);
  }
}

function clusterFlag(name: string): Property {
  return new Property(["xds", "cluster_metadata", "filter_metadata", "istio", name]);
}

/** For in-process hosts: the exchange as the native `io.istio.http.peer_metadata` filter: its configuration names every method. */
export function createPeerMetadata(host: RootHandle): RootContext {
  return new ExchangeRoot(host, false);
}

/** For Wasm modules too: the exchange as the plugin `envoy.wasm.metadata_exchange`: the listener's direction decides. */
export function createRoot(host: RootHandle): RootContext {
  return new ExchangeRoot(host, true);
}
