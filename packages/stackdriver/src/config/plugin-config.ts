import { FIRST_REQUEST_LABEL, METRIC_LABELS, METRICS, type MetricLabel } from "../metrics/definitions.ts";
import { isObject, JsonFields } from "./json-fields.ts";

/** Which accesses of a side are logged. */
export type AccessLogging = "NONE" | "FULL" | "ERRORS_ONLY";

/** What is different about one metric. */
export interface MetricOverride {
  readonly drop: boolean;
  /** Expressions by label. */
  readonly tags: readonly (readonly [label: MetricLabel, expression: string])[];
}

/** `stackdriver.PluginConfig` [telemetry §5.2]. */
export interface StackdriverConfig {
  readonly serverLogging: boolean;
  readonly accessLogging: AccessLogging;
  /** An expression; "" for none. */
  readonly logFilter: string;
  /** Expressions by label, put into every log entry. */
  readonly customLabels: readonly (readonly [label: string, expression: string])[];
  readonly hostHeaderFallback: boolean;
  /** "" where the request's own is meant. */
  readonly destinationServiceName: string;
  readonly batchBytes: number;
  /** Milliseconds that log entries wait for others. */
  readonly logInterval: number;
  /** Milliseconds after which an idle series goes; 0: never. */
  readonly metricExpiry: number;
  readonly compression: boolean;
  /** By metric, without the prefix. */
  readonly overrides: ReadonlyMap<string, MetricOverride>;
  /** What was given and has no effect, for the log. */
  readonly warnings: readonly string[];
}

export type ReadConfig =
  | { readonly config: StackdriverConfig; readonly faults?: undefined }
  | { readonly faults: readonly string[]; readonly config?: undefined };

const BATCH_BYTES = 4_000_000;
/** Google's limit of a request is 10 MB. */
const MOST_BATCH_BYTES = 9_000_000;
const LOG_INTERVAL = 10_000;
/** Without effect, and nobody misses them. */
const IGNORED = ["mesh_edges_reporting_duration", "max_peer_cache_size", "max_edges_batch_size"];
/** Without effect, and whoever sets them should hear it. */
const MISSED = [
  ["enable_mesh_edges_reporting", "edges of the mesh are not reported"],
  ["enable_audit_log", "audit entries are not written"],
] as const;

/** Reads the configuration of the plugin; all faults at once. */
export function readPluginConfig(text: string): ReadConfig {
  let json: unknown;
  try {
    json = text.trim() === "" ? {} : JSON.parse(text);
  } catch (error) {
    return { faults: [`the configuration is not JSON: ${error instanceof Error ? error.message : String(error)}`] };
  }
  if (!isObject(json)) return { faults: ["the configuration is not a JSON object"] };
  const fields = new JsonFields(json);
  const warnings: string[] = [];
  const overrides = readOverrides(fields, warnings);
  const withoutSizes = fields.flag("disable_http_size_metrics") && overrides.size === 0;
  for (const [name, what] of MISSED) if (fields.flag(name)) warnings.push(`${name} has no effect: ${what}`);
  const config: StackdriverConfig = {
    serverLogging: !fields.flag("disable_server_access_logging"),
    accessLogging: fields.choice("access_logging", ["NONE", "FULL", "ERRORS_ONLY"]),
    logFilter: fields.text("access_logging_filter_expression"),
    customLabels: fields.object("custom_log_config")?.texts("dimensions") ?? [],
    hostHeaderFallback: !fields.flag("disable_host_header_fallback"),
    destinationServiceName: fields.text("destination_service_name"),
    batchBytes: fields.wholeNumber("max_log_batch_size_in_bytes", 1, MOST_BATCH_BYTES) ?? BATCH_BYTES,
    logInterval: fields.duration("log_report_duration") ?? LOG_INTERVAL,
    metricExpiry: fields.duration("metric_expiry_duration") ?? 0,
    compression: fields.flag("enable_log_compression"),
    overrides: withoutSizes ? SIZES_DROPPED : overrides,
    warnings: [...warnings, ...fields.unread(IGNORED).map((name) => `unknown field "${name}" is ignored`)],
  };
  return fields.faults.length > 0 ? { faults: fields.faults } : { config };
}

const DROPPED: MetricOverride = { drop: true, tags: [] };
const SIZES_DROPPED: ReadonlyMap<string, MetricOverride> = new Map(
  ["server/request_bytes", "server/response_bytes", "client/request_bytes", "client/response_bytes"].map((name) => [
    name,
    DROPPED,
  ]),
);

/** What a metric has not costs a warning only, as upstream: such overrides are written for several versions. */
function readOverrides(fields: JsonFields, warnings: string[]): Map<string, MetricOverride> {
  const overrides = new Map<string, MetricOverride>();
  for (const [name, override] of fields.objects("metrics_overrides")) {
    const metric = METRICS.get(name);
    if (metric === undefined) {
      warnings.push(`metrics_overrides: there is no metric "${name}"; there are ${[...METRICS.keys()].join(", ")}`);
      continue;
    }
    const tags: [MetricLabel, string][] = [];
    for (const [label, expression] of override.texts("tag_overrides")) {
      const place = (METRIC_LABELS as readonly string[]).indexOf(label);
      const known = METRIC_LABELS[place];
      if (known === undefined || (!metric.ofRequests && place >= FIRST_REQUEST_LABEL))
        warnings.push(`metrics_overrides["${name}"]: the metric has no label "${label}"`);
      else tags.push([known, expression]);
    }
    overrides.set(name, { drop: override.flag("drop"), tags });
  }
  return overrides;
}
