import { parseExposition, type Sample } from "@mixerless/metrics";

/** Totals of one edge as its source reports them. */
export interface Edge {
  readonly source: string;
  readonly destination: string;
  requests: number;
  errors: number;
  /** Upper bound in milliseconds → requests within it. */
  readonly buckets: Map<number, number>;
}

export type Edges = Map<string, Edge>;

/** Adds the source-reported series of one scrape. Answers false when it does not parse. */
export function addScrape(edges: Edges, text: string): boolean {
  const parsed = parseExposition(text);
  if (!("samples" in parsed)) return false;
  for (const sample of parsed.samples) addSample(edges, sample);
  return true;
}

function addSample(edges: Edges, { name, labels, value }: Sample): void {
  const {
    reporter,
    source_workload: source,
    destination_workload: destination,
    response_code: code,
    le,
  } = labels as Record<string, string>;
  if (reporter !== "source" || source === undefined || destination === undefined) return;
  const key = `${source} → ${destination}`;
  let edge = edges.get(key);
  if (edge === undefined) {
    edge = { source, destination, requests: 0, errors: 0, buckets: new Map() };
    edges.set(key, edge);
  }
  if (name === "istio_requests_total") {
    edge.requests += value;
    if (code === undefined || !/^[1-4]/.test(code)) edge.errors += value;
  } else if (name === "istio_request_duration_milliseconds_bucket" && le !== undefined) {
    const bound = le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le);
    edge.buckets.set(bound, (edge.buckets.get(bound) ?? 0) + value);
  }
}

/** The quantile of what came between two scrapes, in milliseconds, as Prometheus would estimate it; null without requests. */
export function quantile(q: number, before: Edge | undefined, after: Edge): number | null {
  const bounds = [...after.buckets]
    .sort(([a], [b]) => a - b)
    .map(([bound, count]) => ({ bound, count: count - (before?.buckets.get(bound) ?? 0) }));
  const total = bounds.at(-1)?.count ?? 0;
  if (total <= 0) return null;
  const rank = q * total;
  let lower = 0;
  let below = 0;
  for (const { bound, count } of bounds) {
    if (count >= rank) {
      if (bound === Number.POSITIVE_INFINITY) return lower;
      return count === below ? bound : lower + ((bound - lower) * (rank - below)) / (count - below);
    }
    lower = bound;
    below = count;
  }
  return lower;
}
