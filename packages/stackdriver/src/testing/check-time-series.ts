import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Distribution } from "@mixerless/wire/google/api/distribution";
import {
  MetricDescriptor_MetricKind as Kind,
  MetricDescriptor_ValueType as ValueType,
} from "@mixerless/wire/google/api/metric";
import type { TimeSeries } from "@mixerless/wire/google/monitoring/v3/metric";
import type { CreateTimeSeriesRequest } from "@mixerless/wire/google/monitoring/v3/metric_service";
import { checkResource } from "./check-resource.ts";

const MOST_SERIES = 200;
const VALUES: Readonly<Record<string, ValueType>> = {
  int64Value: ValueType.INT64,
  distributionValue: ValueType.DISTRIBUTION,
};

/** What makes two points belong to one series. */
export function seriesKey({ metric, resource }: TimeSeries): string {
  const sorted = (labels: Readonly<Record<string, string>> = {}) => Object.entries(labels).sort();
  return JSON.stringify([metric?.type, sorted(metric?.labels), resource?.type, sorted(resource?.labels)]);
}

/** Google's rules for `CreateTimeSeries` beyond the definition. `ends`: the latest point of each series so far. */
export function checkTimeSeries(request: CreateTimeSeriesRequest, ends: Map<string, number>): string[] {
  const faults: string[] = [];
  if (!/^projects\/[a-z0-9:.-]+$/.test(request.name)) faults.push(`name: "${request.name}" is no project`);
  if (request.timeSeries.length > MOST_SERIES) faults.push(`more than ${MOST_SERIES} series`);
  const seen = new Set<string>();
  for (const [index, series] of request.timeSeries.entries()) {
    const key = seriesKey(series);
    const at = `time_series[${index}]`;
    if (seen.has(key)) faults.push(`${at}: the series is there twice`);
    seen.add(key);
    faults.push(...checkOne(series, ends.get(key) ?? 0).map((fault) => `${at}${fault}`));
    if (faults.length === 0) ends.set(key, endOf(series));
  }
  return faults;
}

function checkOne(series: TimeSeries, lastEnd: number): string[] {
  const { metric, resource, points, metricKind, valueType } = series;
  const faults = checkResource(resource);
  if (!/^[a-z0-9.]+\/[A-Za-z0-9_/]+$/.test(metric?.type ?? "")) faults.push(`.metric.type: "${metric?.type}"`);
  for (const [label, value] of Object.entries(metric?.labels ?? {})) {
    if (!/^[a-z][a-z0-9_]*$/.test(label)) faults.push(`.metric.labels: "${label}" is no name`);
    if (Buffer.byteLength(value) > 1024) faults.push(`.metric.labels["${label}"] is too long`);
  }
  const [point] = points;
  if (point === undefined || points.length !== 1) return [...faults, ".points: exactly one is taken"];
  const start = point.interval?.startTime;
  if (metricKind !== Kind.CUMULATIVE) faults.push(".metric_kind: CUMULATIVE was expected");
  if (start === undefined || timestampMs(start) >= endOf(series)) faults.push(".interval: a start before the end");
  if (endOf(series) <= lastEnd) faults.push(".interval: not after the point before");
  if (VALUES[point.value?.value.case ?? ""] !== valueType) faults.push(".value_type: the value has another");
  if (point.value?.value.case === "distributionValue") faults.push(...checkDistribution(point.value.value.value));
  return faults;
}

function checkDistribution({ count, bucketOptions, bucketCounts, sumOfSquaredDeviation }: Distribution): string[] {
  const faults: string[] = [];
  const { options } = bucketOptions ?? {};
  const bounds = options?.case === "explicitBuckets" ? options.value.bounds : [];
  if (bounds.length === 0) faults.push(".distribution: no bounds");
  if (bounds.some((bound, index) => index > 0 && bound <= (bounds[index - 1] ?? 0)))
    faults.push(".distribution: bounds don't grow");
  if (bucketCounts.length > bounds.length + 1) faults.push(".distribution: more buckets than bounds make");
  if (bucketCounts.reduce((sum, one) => sum + one, 0n) !== count) faults.push(".distribution: buckets don't add up");
  if (sumOfSquaredDeviation < 0) faults.push(".distribution: a negative deviation");
  return faults;
}

function endOf({ points: [point] }: TimeSeries): number {
  const end = point?.interval?.endTime;
  return end === undefined ? 0 : timestampMs(end);
}
