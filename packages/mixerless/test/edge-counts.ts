/** Series of a scrape by JSON of their labels, summed by the labels that are named. Missing labels read as nothing. */
export function sumBy(series: ReadonlyMap<string, number>, ...names: readonly string[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [json, value] of series) {
    const labels = JSON.parse(json) as Record<string, string>;
    const key = names.map((name) => labels[name] ?? "").join(" ");
    sums[key] = (sums[key] ?? 0) + value;
  }
  return sums;
}

export const EDGE = ["reporter", "source_workload", "destination_workload", "response_code", "response_flags"] as const;

/** `reporter source destination code flags` → requests. */
export function byEdge(series: ReadonlyMap<string, number>): Record<string, number> {
  return sumBy(series, ...EDGE);
}
