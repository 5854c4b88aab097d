export type MetricErrorCode =
  | "metric_name_invalid"
  | "metric_name_clash"
  | "metric_type_conflict"
  | "metric_buckets_invalid"
  | "metric_setting_invalid"
  | "too_many_metrics";

/** A definition or a setting that can't be taken. Never thrown while values are recorded. */
export class MetricError extends Error {
  readonly code: MetricErrorCode;

  constructor(code: MetricErrorCode, message: string) {
    super(message);
    this.name = "MetricError";
    this.code = code;
  }
}

export function invalidName(name: string): MetricError {
  return new MetricError(
    "metric_name_invalid",
    `"${name.slice(0, 100)}" can't be the name of a metric. Use letters, digits, "_" and ":", no digit first, ` +
      "at most 512 characters; sanitizeMetricName() makes any name fit.",
  );
}

export function typeConflict(name: string, known: string, wanted: string): MetricError {
  return new MetricError(
    "metric_type_conflict",
    `${name} is a ${known} already, so it can't be a ${wanted}. Two definitions use one name: rename one of them.`,
  );
}

export function nameClash(name: string, other: string): MetricError {
  return new MetricError(
    "metric_name_clash",
    `${name} would have samples of the same name as ${other}: a histogram owns the names that end in ` +
      "_bucket, _sum and _count. Rename one of them.",
  );
}

export function tooMany(name: string, limit: number): MetricError {
  return new MetricError(
    "too_many_metrics",
    `${name} would be metric number ${limit + 1} of this store. Probably something makes names up, such as a ` +
      "plugin that puts values into them: use labels for values.",
  );
}
