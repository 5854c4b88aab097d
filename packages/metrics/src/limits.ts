/** Bytes of UTF-8 that a label value may have; what is longer is cut at a character's edge. */
export const LABEL_VALUE_LIMIT = 256;
/** Characters that a label name may have; what is longer is cut. */
export const LABEL_NAME_LIMIT = 128;
/** Labels of one series. Further ones are left out. */
export const LABELS_LIMIT = 64;
/** Characters of a metric's name. A longer one is refused. */
export const METRIC_NAME_LIMIT = 512;
/** Finite bounds of one histogram. More are refused. */
export const BUCKETS_LIMIT = 256;
/** Metrics of one store. A plugin that makes names up must not fill the memory. */
export const METRICS_LIMIT = 4096;

/** Series of one metric, unless configured otherwise. */
export const DEFAULT_BUDGET = 10_000;
/** Milliseconds without an update after which a series disappears, unless configured otherwise. */
export const DEFAULT_IDLE_EXPIRY = 600_000;
