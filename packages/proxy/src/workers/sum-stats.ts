interface Bucket {
  readonly upper_bound: number | string;
  readonly interval: number;
  readonly cumulative: number;
}

interface NamedBuckets {
  readonly name: string;
  readonly buckets: readonly Bucket[];
}

/** An entry of `/stats?format=json`. */
type Entry = { readonly name: string; readonly value: number } | { readonly histograms: readonly NamedBuckets[] };

export interface SummedStats {
  readonly values: Map<string, number>;
  readonly histograms: Map<string, Bucket[]>;
}

/**
 * What every worker finds by itself though it is the cluster's: endpoints and the look-ups and pushes that brought
 * them. The worker that saw most of it is right; a sum would count it once for each.
 */
const FOUND_BY_EACH = /(?:^|[._])(?:membership_(?:total|healthy|change)|update_(?:success|failure))$/;

/** How the values of workers for one name become one. */
export function combine(name: string): (a: number, b: number) => number {
  return FOUND_BY_EACH.test(name) ? Math.max : add;
}

function add(a: number, b: number): number {
  return a + b;
}

/** Sums the answers of workers to `/stats?format=json` by name; `primary` says what the proxy is as a whole. */
export function sumStats(texts: readonly string[], primary: ReadonlyMap<string, number> = new Map()): SummedStats {
  const values = new Map<string, number>(primary);
  const histograms = new Map<string, Bucket[]>();
  for (const text of texts) {
    const { stats } = JSON.parse(text) as { stats: readonly Entry[] };
    for (const entry of stats) {
      if ("histograms" in entry)
        for (const { name, buckets } of entry.histograms) addBuckets(histograms, name, buckets);
      else values.set(entry.name, combine(entry.name)(values.get(entry.name) ?? 0, entry.value));
    }
  }
  return { values, histograms };
}

function addBuckets(histograms: Map<string, Bucket[]>, name: string, buckets: readonly Bucket[]): void {
  const known = histograms.get(name) ?? [];
  const sums = buckets.map((bucket, i) => ({
    upper_bound: bucket.upper_bound,
    interval: bucket.interval + (known[i]?.interval ?? 0),
    cumulative: bucket.cumulative + (known[i]?.cumulative ?? 0),
  }));
  histograms.set(name, sums);
}

export function statsJson({ values, histograms }: SummedStats): string {
  const stats: unknown[] = Array.from(values, ([name, value]) => ({ name, value }));
  if (histograms.size > 0) stats.push({ histograms: Array.from(histograms, ([name, buckets]) => ({ name, buckets })) });
  return `${JSON.stringify({ stats })}\n`;
}

export function statsText({ values, histograms }: SummedStats): string {
  let text = "";
  for (const [name, value] of values) text += `${name}: ${value}\n`;
  for (const [name, buckets] of histograms) {
    const parts = buckets.map(({ upper_bound, interval, cumulative }) => `B${upper_bound}(${interval},${cumulative})`);
    text += `${name}: ${parts.join(" ")}\n`;
  }
  return text;
}
