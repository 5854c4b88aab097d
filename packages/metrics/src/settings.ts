import { createBucketLayout, DEFAULT_BUCKETS } from "./buckets.ts";
import { TICK } from "./coarse-time.ts";
import { DEFAULT_BUDGET, DEFAULT_IDLE_EXPIRY } from "./limits.ts";
import type { HistogramDefinition, MetricSettings, MetricType } from "./metric.ts";
import { MetricError } from "./metric-error.ts";
import type { EffectiveSettings } from "./metric-family.ts";

/**
 * The settings in force: those of the metric, then what its definition says, then those of the store,
 * then ours. Throws a {@link MetricError} for buckets that can't be used.
 */
export function resolveSettings(
  definition: HistogramDefinition,
  type: MetricType,
  own: MetricSettings,
  defaults: MetricSettings,
): EffectiveSettings {
  const idle = definition.evictable === false ? 0 : (own.idleExpiry ?? defaults.idleExpiry ?? DEFAULT_IDLE_EXPIRY);
  const buckets = own.buckets ?? definition.buckets ?? defaults.buckets ?? DEFAULT_BUCKETS;
  const imitation = own.histogramImitation ?? defaults.histogramImitation ?? false;
  return {
    budget: own.budget ?? defaults.budget ?? DEFAULT_BUDGET,
    idleTicks: Math.ceil(idle / TICK),
    layout: type === "histogram" ? createBucketLayout(definition.name, buckets, imitation) : null,
  };
}

/** Throws a {@link MetricError} for a setting that can't be used. `subject` names what is configured. */
export function checkSettings(subject: string, settings: MetricSettings): void {
  const { budget, idleExpiry, buckets } = settings;
  if (budget !== undefined && !(budget >= 0)) throw badSetting(subject, "budget", budget, "a number of series");
  if (idleExpiry !== undefined && !(idleExpiry >= 0 && idleExpiry < Number.POSITIVE_INFINITY)) {
    throw badSetting(subject, "idleExpiry", idleExpiry, "milliseconds, or 0 for never");
  }
  if (buckets !== undefined) createBucketLayout(subject, buckets, false);
}

function badSetting(subject: string, field: string, value: number, wanted: string): MetricError {
  return new MetricError("metric_setting_invalid", `${field} of ${subject} can't be ${value}. Give ${wanted}.`);
}
