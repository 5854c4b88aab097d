import type { Exposition, SampleFamily } from "./exposition.ts";
import type { FamilyView, SeriesView } from "./metric.ts";
import { formatValue } from "./number-text.ts";
import { sampleKey } from "./samples.ts";

/** Counts and sums at one instant, by {@link sampleKey}. Gauges are not among them. */
export type Totals = ReadonlyMap<string, number>;

/** The totals of a store: `familyTotals(store.families())`. */
export function familyTotals(families: Iterable<FamilyView>): Totals {
  const totals = new Map<string, number>();
  for (const family of families) {
    if (family.type === "gauge") continue;
    for (const series of family.entries()) addSeries(totals, family.name, series);
  }
  return totals;
}

/** The totals of an exposition, with the keys that {@link familyTotals} has for the same store. */
export function expositionTotals(exposition: Exposition): Totals {
  const totals = new Map<string, number>();
  for (const family of exposition.families.values()) {
    if (isCumulative(family)) for (const sample of family.samples) totals.set(totalKey(sample), sample.value);
  }
  return totals;
}

/**
 * What was counted between two snapshots, without what stood still. A total that became smaller began
 * again at 0 in between, as rate() takes it. Series that are gone are left out.
 */
export function increase(before: Totals, after: Totals): Map<string, number> {
  const grown = new Map<string, number>();
  for (const [key, now] of after) {
    const then = before.get(key) ?? 0;
    const more = now < then ? now : now - then;
    if (more !== 0) grown.set(key, more);
  }
  return grown;
}

function addSeries(totals: Map<string, number>, name: string, series: SeriesView): void {
  const labels = Object.fromEntries(series.labels);
  if (series.histogram === null) {
    totals.set(sampleKey(name, labels), series.value);
    return;
  }
  const { bounds, counts, sum, count } = series.histogram;
  let cumulative = 0;
  for (const [i, n] of counts.entries()) {
    cumulative += n;
    const le = formatValue(bounds[i] ?? Number.POSITIVE_INFINITY);
    totals.set(sampleKey(`${name}_bucket`, { ...labels, le }), cumulative);
  }
  totals.set(sampleKey(`${name}_sum`, labels), sum);
  totals.set(sampleKey(`${name}_count`, labels), count);
}

function isCumulative(family: SampleFamily): boolean {
  return family.type === "counter" || family.type === "histogram";
}

function totalKey({ name, labels }: { name: string; labels: Readonly<Record<string, string>> }): string {
  const { le } = labels;
  if (le === undefined) return sampleKey(name, labels);
  // The formats print the same bound differently.
  const bound = le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le);
  return sampleKey(name, { ...labels, le: formatValue(bound) });
}
