import type { JsonObject } from "@bufbuild/protobuf";
import type { MetricSettings, ProviderMetrics } from "../telemetry/merge-metrics.ts";
import { METRIC_NAMES } from "../telemetry/metric-names.ts";
import { providerNamed } from "../telemetry/providers.ts";
import type { GeneratorInput } from "./generator-input.ts";
import { DRY_RUN_LABELS, isOn } from "./mesh-switches.ts";
import { type ListenerClass, sideOf, telemetryOf } from "./telemetry-of.ts";

/**
 * The `stats.PluginConfig` of a chain; undefined: nothing is measured there. Several providers of Prometheus's kind lead
 * to the same page: were each to measure, everything would count double, so the first that is on does.
 */
export function statsConfig(
  input: GeneratorInput,
  listenerClass: ListenerClass,
  transport: "http" | "network",
): JsonObject | undefined {
  const { mesh } = input.push;
  const { byProvider } = telemetryOf(input).metrics[sideOf(listenerClass)];
  const provider = byProvider.find(
    ({ name, off }) => off?.value !== true && providerNamed(mesh, name)?.type === "prometheus",
  );
  if (provider === undefined) return undefined;
  const dryRun = listenerClass !== "outbound" && isOn(mesh, DRY_RUN_LABELS);
  const metrics = [...(dryRun ? [{ dimensions: dryRunLabels(transport) }] : []), ...overridesOf(provider)];
  return {
    // An inbound host may be anything that a client made up [telemetry §3.4].
    ...(listenerClass !== "outbound" && { disable_host_header_fallback: true }),
    ...(provider.reportingInterval !== undefined && {
      tcp_reporting_duration: `${provider.reportingInterval.value / 1000}s`,
    }),
    ...(metrics.length > 0 && { metrics }),
  };
}

function overridesOf({ metrics }: ProviderMetrics): JsonObject[] {
  return metrics.map(({ metric, custom, disabled, tags }) => {
    const set = [...tags].filter(([, { value }]) => value.operation === "UPSERT");
    const removed = [...tags].filter(([, { value }]) => value.operation === "REMOVE");
    return {
      name: nameOf({ metric, custom }),
      ...(disabled?.value === true && { drop: true }),
      ...(set.length > 0 && { dimensions: Object.fromEntries(set.map(([tag, { value }]) => [tag, value.value])) }),
      ...(removed.length > 0 && { tags_to_remove: removed.map(([tag]) => tag) }),
    };
  });
}

function nameOf({ metric, custom }: Pick<MetricSettings, "metric" | "custom">): string {
  return custom ? metric : (METRIC_NAMES[metric] ?? metric);
}

/** What policies on trial would have done: `allowed`, `denied`, or `unknown` where nothing is on trial. */
function dryRunLabels(transport: "http" | "network"): Record<string, string> {
  const result = (action: string) =>
    `metadata.filter_metadata['envoy.filters.${transport}.rbac'].istio_dry_run_${action}_shadow_engine_result`;
  return { dry_run_allow: result("allow"), dry_run_deny: result("deny") };
}
