/** Results of one host within one interval of outlier detection. */
export interface IntervalCounts {
  successes: number;
  failures: number;
}

/** When a host stands out from the others; shares in percent. */
export interface StatisticalDetection {
  /** Chance in percent that a host that is found is ejected; 0 switches the detector off. */
  readonly enforcing: number;
  /** Hosts with enough requests below which nothing is concluded. */
  readonly minimumHosts: number;
  /** Requests within an interval below which a host is left out. */
  readonly requestVolume: number;
  /**
   * Of success rates: how many thousandths of the standard deviation a host may stay below the mean. Of failure
   * percentages: the share of failures at which a host is found.
   */
  readonly limit: number;
}

/** The hosts whose success rate lies further below the mean than the deviation allows. */
export function belowSuccessRate<T>(hosts: ReadonlyMap<T, IntervalCounts>, detection: StatisticalDetection): T[] {
  const rates = percentages(hosts, detection, (counts) => counts.successes);
  if (rates.size < Math.max(1, detection.minimumHosts)) return [];
  const values = [...rates.values()];
  const mean = sum(values) / values.length;
  const deviation = Math.sqrt(sum(values.map((rate) => (rate - mean) ** 2)) / values.length);
  const threshold = mean - (deviation * detection.limit) / 1000;
  return [...rates].filter(([, rate]) => rate < threshold).map(([host]) => host);
}

/** The hosts of whose requests at least the given share failed. */
export function aboveFailurePercentage<T>(hosts: ReadonlyMap<T, IntervalCounts>, detection: StatisticalDetection): T[] {
  const rates = percentages(hosts, detection, (counts) => counts.failures);
  if (rates.size < Math.max(1, detection.minimumHosts)) return [];
  return [...rates].filter(([, rate]) => rate >= detection.limit).map(([host]) => host);
}

function percentages<T>(
  hosts: ReadonlyMap<T, IntervalCounts>,
  { requestVolume }: StatisticalDetection,
  part: (counts: IntervalCounts) => number,
): Map<T, number> {
  const rates = new Map<T, number>();
  for (const [host, counts] of hosts) {
    const total = counts.successes + counts.failures;
    if (total > 0 && total >= requestVolume) rates.set(host, (100 * part(counts)) / total);
  }
  return rates;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
