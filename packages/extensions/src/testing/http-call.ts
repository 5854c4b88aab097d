import { type Attribute, type FakeHeaders, FakeHost, type FakeSeries } from "@mixerless/sdk/testing";
import {
  CLIENT,
  createMeshHost,
  INBOUND,
  type MeshHostOptions,
  OUTBOUND,
  type PeerFields,
  peerBytes,
  SERVER,
  SERVICE,
} from "./mesh.ts";

/** One HTTP call that the statistics see, and what the stream knows about it. */
export interface Call {
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly headers?: FakeHeaders;
  readonly downstream?: PeerFields;
  readonly upstream?: PeerFields;
  /** Answered before the statistics saw the request. */
  readonly early?: boolean;
}

export const server: MeshHostOptions = { node: SERVER, direction: INBOUND };
export const client: MeshHostOptions = { node: CLIENT, direction: OUTBOUND };
/** The attribute of a stream to {@link SERVICE}. */
export const service = { xds: { cluster_metadata: SERVICE } };

/** The attributes of a call that succeeded. */
const DONE = {
  request: { duration: 12_345_678, total_size: 250 },
  response: { code: 200, flags: 0, total_size: 1000 },
};

/** The certificates of a connection with mutual TLS, by what follows `/ns/` in their identities. */
export function mutual(peer: string, local: string): Attribute {
  return {
    uri_san_peer_certificate: `spiffe://cluster.local/ns/${peer}`,
    uri_san_local_certificate: `spiffe://cluster.local/ns/${local}`,
  };
}

/** A host with the statistics, and one call through it. */
export function call(options: MeshHostOptions, given: Call = {}): FakeHost {
  const host = createMeshHost({ stats: {}, ...options });
  repeat(host, given);
  return host;
}

/** One more call through a host. */
export function repeat(host: FakeHost, given: Call = {}): void {
  const requestHeaders: FakeHeaders = given.headers ?? [
    [":path", "/"],
    [":authority", "server.default.svc.cluster.local:8000"],
  ];
  const stream = host.open({ requestHeaders, attributes: { ...DONE, ...given.attributes } });
  if (given.downstream) stream.stream.setState({ name: "downstream_peer", slot: 0 }, peerBytes(given.downstream));
  if (given.upstream) stream.stream.setState({ name: "upstream_peer", slot: 0 }, peerBytes(given.upstream));
  if (!given.early) stream.request();
  stream.end();
}

/** The one series of a metric. */
export function only(host: FakeHost, metric: string): FakeSeries {
  const [series, ...others] = host.metrics.family(metric);
  if (series === undefined || others.length > 0)
    throw new Error(`not one series of ${metric}: ${host.metrics.lines().join("\n")}`);
  return series;
}

/** The labels of the one series that a call makes, in order. */
export function labels(
  options: MeshHostOptions,
  given: Call = {},
  metric = "istio_requests_total",
): [string, string][] {
  const series = only(call(options, given), metric);
  return series.labels.map((label, i) => [label, series.values[i] as string]);
}

/** As {@link labels}, by name. */
export function labelsByName(options: MeshHostOptions, given: Call = {}): Record<string, string> {
  return Object.fromEntries(labels(options, given));
}

/** One label of {@link labels}. */
export function label(name: string, options: MeshHostOptions, given: Call = {}): string | undefined {
  return labelsByName(options, given)[name];
}
