export { DEFAULT_BUCKETS } from "./buckets.ts";
export { byteStringToText, labelText, textToByteString } from "./byte-string.ts";
export type { ExposeOptions } from "./expose.ts";
export type {
  Exemplar,
  Exposition,
  ExpositionFaults,
  ParseFault,
  ParseFaultCode,
  Sample,
  SampleFamily,
  SampleType,
} from "./exposition.ts";
export type {
  Counter,
  Family,
  FamilyView,
  Gauge,
  Histogram,
  HistogramDefinition,
  HistogramView,
  MetricDefinition,
  MetricSettings,
  MetricType,
  SeriesView,
} from "./metric.ts";
export { MetricError, type MetricErrorCode } from "./metric-error.ts";
export { MetricStore, type StoreOptions } from "./metric-store.ts";
export { isLabelName, isMetricName, sanitizeLabelName, sanitizeMetricName } from "./names.ts";
export { type Format, negotiate, OPENMETRICS_FORMAT, TEXT_FORMAT } from "./negotiate.ts";
export { type ParseOptions, parseExposition } from "./parse-exposition.ts";
export { findSamples, sampleKey, sumSamples } from "./samples.ts";
export { expositionTotals, familyTotals, increase, type Totals } from "./totals.ts";
