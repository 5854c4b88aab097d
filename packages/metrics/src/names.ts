import { LABEL_NAME_LIMIT } from "./limits.ts";

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export function isMetricName(name: string): boolean {
  return METRIC_NAME.test(name);
}

export function isLabelName(name: string): boolean {
  return LABEL_NAME.test(name);
}

/** Any name as a metric name, by Envoy's rule: what is not allowed becomes `_`. */
export function sanitizeMetricName(name: string): string {
  const clean = name.replace(/[^a-zA-Z0-9_:]/g, "_");
  return isMetricName(clean) ? clean : `_${clean}`;
}

/** Any name as a label name, by Envoy's rule: what is not allowed becomes `_`. */
export function sanitizeLabelName(name: string): string {
  const clean = name.slice(0, LABEL_NAME_LIMIT).replace(/[^a-zA-Z0-9_]/g, "_");
  return isLabelName(clean) ? clean : `_${clean}`;
}
