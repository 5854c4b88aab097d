import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { DistributionSchema } from "@mixerless/wire/google/api/distribution";
import {
  MetricDescriptor_MetricKind,
  MetricDescriptor_ValueType,
  MetricSchema,
} from "@mixerless/wire/google/api/metric";
import { MonitoredResourceSchema } from "@mixerless/wire/google/api/monitored_resource";
import { TimeIntervalSchema, TypedValueSchema } from "@mixerless/wire/google/monitoring/v3/common";
import { PointSchema, type TimeSeries, TimeSeriesSchema } from "@mixerless/wire/google/monitoring/v3/metric";
import { CreateTimeSeriesRequestSchema } from "@mixerless/wire/google/monitoring/v3/metric_service";
import { METRIC_LABELS, METRIC_PREFIX } from "./definitions.ts";
import type { Series } from "./series.ts";

/** `CreateTimeSeries`, the totals of series at `now`, milliseconds since the epoch. */
export function encodeTimeSeries(project: string, series: readonly Series[], now: number): Uint8Array {
  const request = create(CreateTimeSeriesRequestSchema, {
    name: `projects/${project}`,
    timeSeries: series.map((one) => timeSeries(one, now)),
  });
  return toBinary(CreateTimeSeriesRequestSchema, request);
}

function timeSeries(series: Series, now: number): TimeSeries {
  const { metric, resource, values } = series.identity;
  const labels: Record<string, string> = {};
  for (const [place, value] of values.entries()) labels[METRIC_LABELS[place] ?? ""] = value;
  const { CUMULATIVE } = MetricDescriptor_MetricKind;
  const { INT64, DISTRIBUTION } = MetricDescriptor_ValueType;
  return create(TimeSeriesSchema, {
    metric: create(MetricSchema, { type: METRIC_PREFIX + metric.name, labels }),
    resource: create(MonitoredResourceSchema, { type: resource.type, labels: { ...resource.labels } }),
    metricKind: CUMULATIVE,
    valueType: metric.bounds === null ? INT64 : DISTRIBUTION,
    unit: metric.unit,
    points: [
      create(PointSchema, {
        interval: create(TimeIntervalSchema, {
          startTime: timestampFromMs(series.start),
          endTime: timestampFromMs(now),
        }),
        value: create(TypedValueSchema, { value: typedValue(series) }),
      }),
    ],
  });
}

function typedValue({ identity, total, mean, deviation, buckets }: Series) {
  const { bounds } = identity.metric;
  if (bounds === null) return { case: "int64Value", value: BigInt(Math.round(total)) } as const;
  const distribution = create(DistributionSchema, {
    count: BigInt(total),
    ...{ mean, sumOfSquaredDeviation: deviation },
    bucketOptions: { options: { case: "explicitBuckets", value: { bounds: [...bounds] } } },
    bucketCounts: buckets.map((count) => BigInt(count)),
  });
  return { case: "distributionValue", value: distribution } as const;
}
