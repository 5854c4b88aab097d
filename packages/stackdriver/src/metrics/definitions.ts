/** What every metric of a service has before its name. */
export const METRIC_PREFIX = "istio.io/service/";

/** Labels of all metrics, then those of requests only, in one order [telemetry §5.3]. */
export const METRIC_LABELS = [
  "request_protocol",
  "service_authentication_policy",
  "mesh_uid",
  "destination_service_name",
  "destination_service_namespace",
  "destination_port",
  "source_principal",
  "source_workload_name",
  "source_workload_namespace",
  "source_owner",
  "source_canonical_service_name",
  "source_canonical_service_namespace",
  "source_canonical_revision",
  "destination_principal",
  "destination_workload_name",
  "destination_workload_namespace",
  "destination_owner",
  "destination_canonical_service_name",
  "destination_canonical_service_namespace",
  "destination_canonical_revision",
  "request_operation",
  "response_code",
  "api_version",
  "api_name",
] as const;

export type MetricLabel = (typeof METRIC_LABELS)[number];

/** Labels before this place belong to connections too. */
export const FIRST_REQUEST_LABEL = METRIC_LABELS.indexOf("request_operation");

/** Lower bounds of buckets, the first of zero: what the exporter of OpenCensus makes of an exponential scale. */
const BYTES = [0, ...powers(10, 7)];
const MILLISECONDS = [0, ...powers(2, 20)];

export interface MetricDefinition {
  /** Without the prefix. */
  readonly name: string;
  /** Null for a count. */
  readonly bounds: readonly number[] | null;
  readonly unit: string;
  /** Whether it is of requests, not of connections. */
  readonly ofRequests: boolean;
}

/** The metrics of one side, by what is measured. */
export interface SideMetrics {
  readonly requests: MetricDefinition;
  readonly requestBytes: MetricDefinition;
  readonly responseBytes: MetricDefinition;
  readonly latencies: MetricDefinition;
  readonly opened: MetricDefinition;
  readonly closed: MetricDefinition;
  readonly received: MetricDefinition;
  readonly sent: MetricDefinition;
}

export const SERVER_METRICS = sideMetrics("server", "response_latencies");
export const CLIENT_METRICS = sideMetrics("client", "roundtrip_latencies");

/** By the name that `metrics_overrides` has them under. */
export const METRICS: ReadonlyMap<string, MetricDefinition> = new Map(
  [SERVER_METRICS, CLIENT_METRICS].flatMap((side) => Object.values(side)).map((metric) => [metric.name, metric]),
);

function sideMetrics(side: string, latencies: string): SideMetrics {
  const metric = (name: string, ofRequests: boolean, unit: string, bounds: readonly number[] | null = null) => ({
    name: `${side}/${name}`,
    ...{ ofRequests, unit, bounds },
  });
  return {
    requests: metric("request_count", true, "1"),
    requestBytes: metric("request_bytes", true, "By", BYTES),
    responseBytes: metric("response_bytes", true, "By", BYTES),
    latencies: metric(latencies, true, "ms", MILLISECONDS),
    opened: metric("connection_open_count", false, "1"),
    closed: metric("connection_close_count", false, "1"),
    received: metric("received_bytes_count", false, "By"),
    sent: metric("sent_bytes_count", false, "By"),
  };
}

function powers(base: number, count: number): number[] {
  return Array.from({ length: count }, (_, exponent) => base ** exponent);
}
