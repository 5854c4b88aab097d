import { JSON_OBJECT, JsonValue, RootContext } from "@mixerless/sdk";
import { durationMilliseconds, member, readConfiguration, texts, warnOfUnknown } from "../configuration.ts";

const NAME: string = "stats";
const DEFAULT_REPORTING: i32 = 5000;

// Of `stats.PluginConfig`. Fields without effect here: the peer cache is the exchange's, the prefix is fixed, the
// separators belong to metric names of the Wasm era, rotation was replaced by the expiry of the host's store.
const KNOWN: string[] = [
  "debug",
  "max_peer_cache_size",
  "stat_prefix",
  "field_separator",
  "value_separator",
  "disable_host_header_fallback",
  "tcp_reporting_duration",
  "metrics",
  "definitions",
  "reporter",
  "rotation_interval",
  "graceful_deletion_interval",
];
const KNOWN_IN_METRIC: string[] = ["name", "dimensions", "tags_to_remove", "match", "drop"];
const KNOWN_IN_DEFINITION: string[] = ["name", "value", "type"];

/** One entry of `metrics[]`. */
export class MetricOverride {
  /** Without the prefix; empty for all metrics. */
  name: string = "";
  drop: boolean = false;
  tagsToRemove: string[] = [];
  /** Sorted; parallel to {@link expressions}. */
  tags: string[] = [];
  expressions: string[] = [];
}

/** One entry of `definitions[]`. */
export class MetricDefinition {
  name: string = "";
  value: string = "";
  /** `COUNTER`, `GAUGE` or `HISTOGRAM`. */
  type: string = "COUNTER";
}

/** `stats.PluginConfig`, as far as it has an effect. */
export class StatsConfig {
  disableHostHeaderFallback: boolean = false;
  /** Milliseconds; 0: TCP and gRPC are reported at their end only. */
  reportingInterval: i32 = DEFAULT_REPORTING;
  waypoint: boolean = false;
  metrics: MetricOverride[] = [];
  definitions: MetricDefinition[] = [];
}

/** Null, after a log line, if the text is not a JSON object. */
export function readStatsConfig(root: RootContext, text: string): StatsConfig | null {
  const object = readConfiguration(root, NAME, text);
  if (object === null) return null;
  warnOfUnknown(root, NAME, object, KNOWN);
  const config = new StatsConfig();
  config.disableHostHeaderFallback = flag(object, "disable_host_header_fallback");
  config.reportingInterval = durationMilliseconds(member(object, "tcp_reporting_duration"), DEFAULT_REPORTING);
  const reporter = textMember(object, "reporter", "");
  config.waypoint = reporter === "SERVER_GATEWAY" || reporter === "1";
  const metrics = itemsOf(object, "metrics");
  for (let i: i32 = 0; i < metrics.length; i++) config.metrics.push(readOverride(root, metrics[i]!));
  const definitions = itemsOf(object, "definitions");
  for (let i: i32 = 0; i < definitions.length; i++) config.definitions.push(readDefinition(root, definitions[i]!));
  return config;
}

function readOverride(root: RootContext, object: JsonValue): MetricOverride {
  warnOfUnknown(root, NAME, object, KNOWN_IN_METRIC);
  const entry = new MetricOverride();
  entry.name = textMember(object, "name", "");
  entry.drop = flag(object, "drop");
  entry.tagsToRemove = texts(member(object, "tags_to_remove"));
  const dimensions = member(object, "dimensions");
  if (dimensions === null || dimensions.kind !== JSON_OBJECT) return entry;
  const tags = dimensions.names.slice(0);
  tags.sort(byText);
  for (let i: i32 = 0; i < tags.length; i++) {
    if (i > 0 && tags[i]! === tags[i - 1]!) continue;
    entry.tags.push(tags[i]!);
    entry.expressions.push(textMember(dimensions, tags[i]!, ""));
  }
  return entry;
}

function readDefinition(root: RootContext, object: JsonValue): MetricDefinition {
  warnOfUnknown(root, NAME, object, KNOWN_IN_DEFINITION);
  const definition = new MetricDefinition();
  definition.name = textMember(object, "name", "");
  definition.value = textMember(object, "value", "");
  definition.type = textMember(object, "type", "COUNTER");
  return definition;
}

function flag(object: JsonValue, name: string): boolean {
  const value = member(object, name);
  return value === null ? false : value.asBoolean(false);
}

function textMember(object: JsonValue, name: string, fallback: string): string {
  const value = member(object, name);
  return value === null ? fallback : value.asText(fallback);
}

function itemsOf(object: JsonValue, name: string): JsonValue[] {
  const value = member(object, name);
  return value === null ? [] : value.items;
}

function byText(a: string, b: string): i32 {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
