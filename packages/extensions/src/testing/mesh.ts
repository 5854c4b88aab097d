import { encodeBase64, StructWriter, toBytes } from "@mixerless/sdk";
import { type Attribute, type FakeFilter, FakeHost, type FakeHostOptions } from "@mixerless/sdk/testing";
import { createMetadataExchange, createMetadataExchangePlugin, createStats } from "../index.ts";

/** The two workloads of upstream's end-to-end tests of the proxy. */
export const CLIENT: Attribute = {
  id: "client",
  metadata: {
    NAME: "productpage-v1-84975bc778-pxz2w",
    NAMESPACE: "default",
    WORKLOAD_NAME: "productpage-v1",
    CLUSTER_ID: "client-cluster",
    OWNER: "kubernetes://apis/apps/v1/namespaces/default/deployments/productpage-v1",
    ISTIO_VERSION: "1.30.3",
    LABELS: {
      app: "productpage",
      version: "v1",
      "service.istio.io/canonical-name": "productpage-v1",
      "service.istio.io/canonical-revision": "version-1",
      role: "frontend",
    },
  },
};

export const SERVER: Attribute = {
  id: "server",
  metadata: {
    NAME: "ratings-v1-84975bc778-pxz2w",
    NAMESPACE: "default",
    WORKLOAD_NAME: "ratings-v1",
    CLUSTER_ID: "server-cluster",
    OWNER: "kubernetes://apis/apps/v1/namespaces/default/deployments/ratings-v1",
    ISTIO_VERSION: "1.30.3",
    LABELS: {
      app: "ratings",
      version: "v1",
      "service.istio.io/canonical-name": "ratings",
      "service.istio.io/canonical-revision": "version-1",
      role: "backend",
    },
  },
};

/** The metadata of the cluster that the client calls. */
export const SERVICE: Attribute = {
  filter_metadata: {
    istio: {
      services: [{ host: "server.default.svc.cluster.local", name: "server", namespace: "default" }],
    },
  },
};

export const INBOUND = 1;
export const OUTBOUND = 2;

/** What the pilot configures inbound and outbound. */
export const INBOUND_EXCHANGE = {
  downstream_discovery: [{ istio_headers: {} }, { workload_discovery: {} }],
  downstream_propagation: [{ istio_headers: {} }],
};
export const OUTBOUND_EXCHANGE = {
  upstream_discovery: [{ istio_headers: {} }, { workload_discovery: {} }],
  upstream_propagation: [{ istio_headers: {} }],
};

/** How a test makes its host. */
export interface MeshHostOptions extends Partial<Pick<FakeHostOptions, "expressions">> {
  /** Configuration of the exchange; none without. */
  readonly exchange?: unknown;
  /** Configuration of the statistics; none without. */
  readonly stats?: unknown;
  /** The exchange as the Wasm-era plugin. */
  readonly plugin?: boolean;
  readonly node?: Attribute;
  readonly direction?: number;
}

/** A host with the exchange, the statistics or both. */
export function createMeshHost(options: MeshHostOptions): FakeHost {
  const filters: FakeFilter[] = [];
  const exchange = options.plugin === true ? createMetadataExchangePlugin : createMetadataExchange;
  if (options.exchange !== undefined) filters.push({ createRoot: exchange, configuration: options.exchange });
  if (options.stats !== undefined) filters.push({ createRoot: createStats, configuration: options.stats });
  const attributes = { xds: { node: options.node ?? {}, listener_direction: options.direction ?? 0 } };
  return new FakeHost({ filters, attributes, expressions: options.expressions ?? {} });
}

/** What a peer says about itself. */
export interface PeerFields {
  readonly [name: string]: string | Readonly<Record<string, string>>;
}

/** Peer metadata as Struct bytes (a byte string). */
export function peerBytes(fields: PeerFields): string {
  const struct = new StructWriter();
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === "string") {
      struct.addText(name, value);
      continue;
    }
    const labels = new StructWriter();
    for (const [label, text] of Object.entries(value)) labels.addText(label, text);
    struct.addStruct(name, labels);
  }
  return struct.finish();
}

/** Peer metadata as the header `x-envoy-peer-metadata` carries it. */
export function peerHeader(fields: PeerFields): string {
  return encodeBase64(toBytes(peerBytes(fields)));
}

/** What {@link CLIENT} and {@link SERVER} tell their peers. */
export const CLIENT_PEER: PeerFields = peerOf(CLIENT);
export const SERVER_PEER: PeerFields = peerOf(SERVER);

function peerOf(node: Attribute): PeerFields {
  const metadata = (node as { metadata: Record<string, string | Record<string, string>> }).metadata;
  const { ISTIO_VERSION: _version, ...sent } = metadata;
  const { role: _role, ...labels } = sent.LABELS as Record<string, string>;
  return { ...sent, LABELS: labels };
}
