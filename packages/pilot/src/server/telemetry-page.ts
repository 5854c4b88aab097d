import type { AdminAnswer } from "@mixerless/admin-server";
import { findProxy } from "../explain/authorization-question.ts";
import type { PilotSource } from "../push/pilot-source.ts";
import { applicableTelemetry } from "../telemetry/applicable-telemetry.ts";
import { type EffectiveTelemetry, effectiveTelemetry } from "../telemetry/effective-telemetry.ts";
import type { ProviderMetrics } from "../telemetry/merge-metrics.ts";
import type { Setting } from "../telemetry/setting.ts";
import type { Side } from "../telemetry/side.ts";
import { jsonAnswer, placeOf } from "./page-answers.ts";

/** `/debug/telemetryz`: what a proxy measures and logs, and which object says so. */
export function telemetryPage(
  { current, proxies }: Pick<PilotSource, "current" | "proxies">,
  query: URLSearchParams,
): AdminAnswer {
  const key = query.get("proxyID") ?? "";
  const proxy = findProxy(key, [...proxies.values()]);
  if (proxy === undefined)
    return jsonAnswer({ error: `No proxy "${key}" is connected. Name one: proxyID=<name>.<namespace>.` }, 404);
  const effective = effectiveTelemetry(current, applicableTelemetry(current, proxy));
  return jsonAnswer({
    proxy: proxy.podKey,
    objects: effective.objects.map((config) => placeOf({ config, path: "" })),
    client: sideAnswer(effective, "CLIENT"),
    server: sideAnswer(effective, "SERVER"),
  });
}

function sideAnswer({ metrics, accessLogs }: EffectiveTelemetry, side: Side) {
  const logs = accessLogs[side];
  return {
    metrics: { providers: answer(metrics[side].providers), settings: metrics[side].byProvider.map(providerAnswer) },
    // Without a word of Telemetry the log file of the mesh counts.
    accessLogs: logs && {
      providers: answer(logs.providers),
      logs: logs.logs.map(({ name, enabled, filter }) => ({ name, enabled: answer(enabled), filter: answer(filter) })),
    },
  };
}

function providerAnswer({ name, off, reportingInterval, metrics }: ProviderMetrics) {
  return {
    name,
    off: answer(off),
    reportingInterval: answer(reportingInterval),
    metrics: metrics.map(({ metric, disabled, tags }) => ({
      metric,
      disabled: answer(disabled),
      tags: Object.fromEntries([...tags].map(([tag, setting]) => [tag, answer(setting)])),
    })),
  };
}

/** The value, where it stands, and what it overrode, the nearest first. */
function answer<T>(setting: Setting<T> | undefined): object | undefined {
  if (setting === undefined) return undefined;
  const { value, place, overrode } = setting;
  const { config, path } = place;
  return { value, ...(config && placeOf({ config, path })), overrode: answer(overrode) };
}
