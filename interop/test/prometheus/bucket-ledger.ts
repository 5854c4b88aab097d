import type { Expected, Ledger } from "./expectation.ts";
import { irateOf, type Point, rateOf } from "./histogram-quantile.ts";
import type { RawSeries } from "./prometheus-server.ts";

const HISTOGRAMS = ["request_duration_milliseconds", "request_bytes", "response_bytes"].map(
  (name) => `istio_${name}_bucket`,
);

/** Points of every bucket in a window up to a moment, as they were scraped. */
export interface Buckets {
  readonly end: number;
  readonly window: number;
  readonly series: ReadonlyMap<string, readonly RawSeries[]>;
}

export async function readBuckets(
  read: (selector: string, time: number) => Promise<RawSeries[]>,
  end: number,
  window: number,
): Promise<Buckets> {
  const entries = HISTOGRAMS.map(async (name) => [name, await read(`${name}[${window}s]`, end)] as const);
  return { end, window, series: new Map(await Promise.all(entries)) };
}

/** What a query of quantiles reads: the rates of the buckets by the function that it names. */
export function bucketLedger({ end, window, series }: Buckets, query: string): Ledger {
  const rate = /\birate\(/.test(query) ? irateOf : (points: readonly Point[]) => rateOf(points, end, window);
  return {
    series: (metric) =>
      (series.get(metric) ?? []).flatMap(({ metric: labels, points }): Expected[] => {
        const value = rate(points);
        return value === undefined ? [] : [{ labels, low: value, high: value }];
      }),
  };
}
