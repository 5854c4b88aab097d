// How the metrics of several Telemetry objects become one configuration [telemetry §4.3].
import { compareText } from "../config/config-object.ts";
import type { MetricsOverride, TagOverride, TelemetryMetrics } from "../config/kinds/policies.ts";
import { ALL_METRICS, METRIC_NAMES } from "./metric-names.ts";
import { below, override, type Place, type Setting } from "./setting.ts";
import { concerns, type Side } from "./side.ts";

/** One entry of `metrics`, and where it stands. */
export interface MetricsEntry {
  readonly entry: TelemetryMetrics;
  readonly place: Place;
}

/** What is changed about one metric. */
export interface MetricSettings {
  /** As configuration names it: `REQUEST_COUNT`, or the literal name of a custom metric. */
  readonly metric: string;
  readonly custom: boolean;
  readonly disabled?: Setting<boolean>;
  /** Sorted by name. */
  readonly tags: ReadonlyMap<string, Setting<TagOverride>>;
}

/** What one provider is given, at one side. */
export interface ProviderMetrics {
  /** As it was written last. */
  readonly name: string;
  /** True: all metrics are switched off. */
  readonly off?: Setting<boolean>;
  /** Milliseconds. */
  readonly reportingInterval?: Setting<number>;
  /** Sorted by the name in the configuration, as upstream sorts. */
  readonly metrics: readonly MetricSettings[];
}

/** The metrics of one side. */
export interface EffectiveMetrics {
  readonly providers: Setting<readonly string[]>;
  /** In the order of `providers`. */
  readonly byProvider: readonly ProviderMetrics[];
}

interface Draft {
  off?: Setting<boolean>;
  reportingInterval?: Setting<number>;
  readonly metrics: Map<string, MetricDraft>;
}

interface MetricDraft {
  readonly metric: string;
  readonly custom: boolean;
  disabled?: Setting<boolean>;
  readonly tags: Map<string, Setting<TagOverride>>;
}

/** `entries`: from the farthest to the nearest. `defaults`: the providers of the mesh. */
export function mergeMetrics(
  entries: readonly MetricsEntry[],
  defaults: Setting<readonly string[]>,
  side: Side,
): EffectiveMetrics {
  const drafts = new Map<string, Draft>();
  let providers = defaults;
  for (const { entry, place } of entries) {
    if (entry.providers.length > 0) {
      providers = override(providers, entry.providers, below(place, "providers"));
    }
    // An entry without providers is about those that were in scope before it.
    for (const name of providers.value) apply(draftOf(drafts, name), entry, place, side);
  }
  return Object.freeze({
    providers,
    byProvider: unique(providers.value).map((name) => finish(name, draftOf(drafts, name))),
  });
}

/** Names of providers are the same whatever their case. */
function unique(names: readonly string[]): readonly string[] {
  return [...new Map(names.map((name) => [name.toLowerCase(), name])).values()];
}

function draftOf(drafts: Map<string, Draft>, name: string): Draft {
  const key = name.toLowerCase();
  let draft = drafts.get(key);
  if (draft === undefined) {
    draft = { metrics: new Map() };
    drafts.set(key, draft);
  }
  return draft;
}

function apply(draft: Draft, { reportingInterval, overrides }: TelemetryMetrics, place: Place, side: Side): void {
  if (reportingInterval !== undefined) {
    draft.reportingInterval = override(draft.reportingInterval, reportingInterval, below(place, "reportingInterval"));
  }
  overrides.forEach((entry, index) => {
    if (concerns(entry.mode, side)) applyOverride(draft, entry, below(place, "overrides", index));
  });
}

function applyOverride(draft: Draft, entry: MetricsOverride, place: Place): void {
  const all = !entry.custom && entry.metric === ALL_METRICS;
  if (all && entry.disabled === true) {
    draft.off = override(draft.off, true, below(place, "disabled"));
    return;
  }
  // Whatever else is said about this side means that it is measured again.
  if (draft.off?.value === true) draft.off = override(draft.off, false, place);
  const metrics = all ? Object.keys(METRIC_NAMES) : [entry.metric];
  for (const metric of metrics) change(metricOf(draft, metric, entry.custom), entry, place);
}

function metricOf({ metrics }: Draft, metric: string, custom: boolean): MetricDraft {
  const key = `${custom} ${metric}`;
  let draft = metrics.get(key);
  if (draft === undefined) {
    draft = { metric, custom, tags: new Map() };
    metrics.set(key, draft);
  }
  return draft;
}

function change(draft: MetricDraft, { disabled, tagOverrides }: MetricsOverride, place: Place): void {
  if (disabled !== undefined) {
    draft.disabled = override(draft.disabled, disabled, below(place, "disabled"));
  }
  for (const [tag, value] of Object.entries(tagOverrides)) {
    draft.tags.set(tag, override(draft.tags.get(tag), value, below(place, "tagOverrides", tag)));
  }
}

function finish(name: string, { metrics, ...settings }: Draft): ProviderMetrics {
  const sorted = [...metrics.values()].sort((a, b) => compareText(a.metric, b.metric));
  const frozen = sorted.map((metric) =>
    Object.freeze({ ...metric, tags: new Map([...metric.tags].sort(([a], [b]) => compareText(a, b))) }),
  );
  return Object.freeze({ name, ...settings, metrics: frozen });
}
