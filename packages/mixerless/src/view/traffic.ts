import { parseExposition, type Sample } from "@mixerless/metrics";

/** What was counted of one kind of traffic, since the proxies started or within a window. */
export interface Traffic {
  requests: number;
  failures: number;
  tcpConnections: number;
  /** Upper bound in milliseconds → requests within it. */
  readonly buckets: Map<number, number>;
}

export interface Edge extends Traffic {
  readonly source: string;
  readonly sourceNamespace: string;
  readonly destination: string;
  readonly destinationNamespace: string;
  readonly service: string;
  /** Who counted: the source where it is in the mesh, else the destination. */
  readonly reporter: "source" | "destination";
}

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
  const key = [reporter, source, sourceNamespace, destination, destinationNamespace, service].join(" ");
  let edge = edges.get(key);
  if (edge === undefined) {
    edge = { reporter, source, sourceNamespace, destination, destinationNamespace, service, ...nothing() };
    edges.set(key, edge);
  }
  if (name === "istio_requests_total") {
    edge.requests += value;
    if (isFailure(labels)) edge.failures += value;
  } else if (name === "istio_tcp_connections_opened_total") edge.tcpConnections += value;
  else if (name === "istio_request_duration_milliseconds_bucket") addBucket(edge, labels.le ?? "", value);
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
  return { requests: 0, failures: 0, tcpConnections: 0, buckets: new Map() };
}

/** What came between two looks. A proxy that started anew in between counts from zero. */
export function growth(before: Edges, after: Edges): Edge[] {
  return [...after].map(([key, edge]) => {
    const old = before.get(key);
    if (old === undefined || edge.requests < old.requests || edge.tcpConnections < old.tcpConnections) return edge;
    return {
      ...edge,
      requests: edge.requests - old.requests,
      failures: edge.failures - old.failures,
      tcpConnections: edge.tcpConnections - old.tcpConnections,
      buckets: new Map([...edge.buckets].map(([bound, count]) => [bound, count - (old.buckets.get(bound) ?? 0)])),
    };
  });
}

/** Each edge once: as its source counted it, or its destination where the source has no proxy. */
export function oneReporter(edges: readonly Edge[]): Edge[] {
  return edges
    .filter(({ reporter, source }) => reporter === "source" || source === "unknown")
    .sort((a, b) => (edgeName(a) < edgeName(b) ? -1 : 1));
}

function edgeName({ source, sourceNamespace, destination, destinationNamespace, service }: Edge): string {
  return [sourceNamespace, source, destinationNamespace, destination, service].join(" ");
}

export function addTraffic(sum: Traffic, more: Traffic): void {
  sum.requests += more.requests;
  sum.failures += more.failures;
  sum.tcpConnections += more.tcpConnections;
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
