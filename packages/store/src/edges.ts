import { parseExposition, type Sample } from "@mixerless/metrics";

/** What was counted of one kind of traffic, since the proxies started or within a window. */
export interface Traffic {
  requests: number;
  failures: number;
  tcpConnections: number;
  /** Requests and connections of which the reporter knows how they came, and those of them by mutual TLS. */
  secured: number;
  mutualTls: number;
  /** Bytes of requests and responses, or of connections from and to their clients. */
  bytesIn: number;
  bytesOut: number;
  /** Upper bound in milliseconds → requests within it. */
  readonly buckets: Map<number, number>;
}

/** Who calls whom, and who says so. */
export interface EdgeEnds {
  readonly source: string;
  readonly sourceNamespace: string;
  readonly destination: string;
  readonly destinationNamespace: string;
  readonly service: string;
  /** Who counted: the source where it is in the mesh, else the destination. */
  readonly reporter: "source" | "destination";
}

export interface Edge extends EdgeEnds, Traffic {}

/** The plain numbers of {@link Traffic}. */
export const COUNTS = [
  "requests",
  "failures",
  "tcpConnections",
  "secured",
  "mutualTls",
  "bytesIn",
  "bytesOut",
] as const satisfies readonly (keyof Traffic)[];

/** By reporter, source, destination and service. */
export type Edges = ReadonlyMap<string, Edge>;

/** The edges in the series of several proxies. A page that does not parse is left out. */
export function readEdges(pages: readonly string[]): Edges {
  const edges = new Map<string, Edge>();
  for (const page of pages) {
    const parsed = parseExposition(page);
    if ("samples" in parsed) for (const sample of parsed.samples) addSample(edges, sample);
  }
  return edges;
}

/** The same for the same ends and reporter. */
export function edgeKey({
  reporter,
  source,
  sourceNamespace,
  destination,
  destinationNamespace,
  service,
}: EdgeEnds): string {
  return [reporter, source, sourceNamespace, destination, destinationNamespace, service].join(" ");
}

function addSample(edges: Map<string, Edge>, sample: Sample): void {
  const { name, value } = sample;
  if (!name.startsWith("istio_")) return;
  const labels = sample.labels as Record<string, string>;
  const { reporter, source_workload: source, destination_workload: destination } = labels;
  if (reporter !== "source" && reporter !== "destination") return;
  if (source === undefined || destination === undefined) return;
  const sourceNamespace = labels.source_workload_namespace ?? "";
  const destinationNamespace = labels.destination_workload_namespace ?? "";
  const service = labels.destination_service_name ?? "";
  const key = edgeKey({ reporter, source, sourceNamespace, destination, destinationNamespace, service });
  let edge = edges.get(key);
  if (edge === undefined) {
    edge = { reporter, source, sourceNamespace, destination, destinationNamespace, service, ...nothing() };
    edges.set(key, edge);
  }
  switch (name) {
    case "istio_requests_total":
      edge.requests += value;
      if (isFailure(labels)) edge.failures += value;
      addSecurity(edge, labels, value);
      break;
    case "istio_tcp_connections_opened_total":
      edge.tcpConnections += value;
      addSecurity(edge, labels, value);
      break;
    case "istio_request_bytes_sum":
    case "istio_tcp_received_bytes_total":
      edge.bytesIn += value;
      break;
    case "istio_response_bytes_sum":
    case "istio_tcp_sent_bytes_total":
      edge.bytesOut += value;
      break;
    case "istio_request_duration_milliseconds_bucket":
      addBucket(edge, labels.le ?? "", value);
  }
}

/** Only a destination knows how a call came: a source's series say `unknown`. */
function addSecurity(edge: Edge, { connection_security_policy: policy }: Record<string, string>, value: number): void {
  if (policy !== "mutual_tls" && policy !== "none") return;
  edge.secured += value;
  if (policy === "mutual_tls") edge.mutualTls += value;
}

function addBucket({ buckets }: Traffic, le: string, value: number): void {
  const bound = le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le);
  buckets.set(bound, (buckets.get(bound) ?? 0) + value);
}

/** A server's error, no answer at all, or a gRPC status that is not OK. */
function isFailure({ response_code: code = "", grpc_response_status: grpc = "" }: Record<string, string>): boolean {
  return !/^[1-4]/.test(code) || (grpc !== "" && grpc !== "0");
}

export function nothing(): Traffic {
  return { ...Object.fromEntries(COUNTS.map((count) => [count, 0])), buckets: new Map() } as Traffic;
}

export function isIdle(traffic: Traffic): boolean {
  return COUNTS.every((count) => traffic[count] === 0);
}

/** What came between two looks. A proxy that started anew in between counts from zero. */
export function growth(before: Edges, after: Edges): Edge[] {
  return [...after].map(([key, edge]) => {
    const old = before.get(key);
    if (old === undefined || edge.requests < old.requests || edge.tcpConnections < old.tcpConnections) return edge;
    const grown: Edge = {
      ...edge,
      buckets: new Map([...edge.buckets].map(([bound, count]) => [bound, count - (old.buckets.get(bound) ?? 0)])),
    };
    for (const count of COUNTS) grown[count] -= old[count];
    return grown;
  });
}

/** Each edge once: as its source counted it, or its destination where the source has no proxy. */
export function oneReporter(edges: readonly Edge[]): Edge[] {
  return edges.filter(isReporter).sort((a, b) => (edgeName(a) < edgeName(b) ? -1 : 1));
}

/** Whether this is the one report of two that counts. */
export function isReporter({ reporter, source }: EdgeEnds): boolean {
  return reporter === "source" || source === "unknown";
}

function edgeName({ source, sourceNamespace, destination, destinationNamespace, service }: EdgeEnds): string {
  return [sourceNamespace, source, destinationNamespace, destination, service].join(" ");
}

export function addTraffic(sum: Traffic, more: Traffic): void {
  for (const count of COUNTS) sum[count] += more[count];
  for (const [bound, count] of more.buckets) sum.buckets.set(bound, (sum.buckets.get(bound) ?? 0) + count);
}

/** The latency that a share `q` of the requests stayed within, as Prometheus estimates it; null without requests. */
export function latency({ buckets }: Traffic, q: number): number | null {
  const bounds = [...buckets].sort(([a], [b]) => a - b);
  const total = bounds.at(-1)?.[1] ?? 0;
  if (total <= 0) return null;
  const rank = q * total;
  let lower = 0;
  let below = 0;
  for (const [bound, count] of bounds) {
    if (count >= rank) {
      if (bound === Number.POSITIVE_INFINITY) return lower;
      return count === below ? bound : lower + ((bound - lower) * (rank - below)) / (count - below);
    }
    lower = bound;
    below = count;
  }
  return lower;
}
