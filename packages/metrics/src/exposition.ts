/** One line of an exposition. */
export interface Sample {
  /** With the suffix, such as `_bucket`. */
  readonly name: string;
  /** An object without a prototype. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Milliseconds since the epoch. */
  readonly timestamp: number | null;
  readonly exemplar: Exemplar | null;
}

export interface Exemplar {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly timestamp: number | null;
}

export type SampleType =
  | "counter"
  | "gauge"
  | "histogram"
  | "summary"
  | "unknown"
  | "gaugehistogram"
  | "info"
  | "stateset";

export interface SampleFamily {
  /** As the TYPE line has it: in OpenMetrics a counter without `_total`. */
  readonly name: string;
  readonly type: SampleType;
  readonly help: string;
  readonly unit: string;
  readonly samples: readonly Sample[];
}

/** What was read from an exposition without a fault. */
export interface Exposition {
  readonly format: "text" | "openmetrics";
  readonly families: ReadonlyMap<string, SampleFamily>;
  /** In the order of the text. */
  readonly samples: readonly Sample[];
}

export type ParseFaultCode =
  | "exposition_too_large"
  | "too_many_samples"
  | "too_many_labels"
  | "bad_metadata"
  | "repeated_metadata"
  | "late_metadata"
  | "split_family"
  | "bad_name"
  | "bad_label"
  | "repeated_label"
  | "bad_value"
  | "bad_timestamp"
  | "bad_exemplar"
  | "unexpected_text"
  | "missing_eof";

export interface ParseFault {
  readonly code: ParseFaultCode;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  readonly message: string;
}

/** An exposition that can't be read, with the first faults. */
export interface ExpositionFaults {
  readonly faults: readonly ParseFault[];
}
