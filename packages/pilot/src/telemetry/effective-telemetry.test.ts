import { describe, expect, it } from "vitest";
import { type Manifest, object, pod, proxy, pushOf } from "../model/testing/push-of.ts";
import { applicableTelemetry } from "./applicable-telemetry.ts";
import { type EffectiveTelemetry, effectiveTelemetry } from "./effective-telemetry.ts";
import type { Setting } from "./setting.ts";

function effective(specs: Readonly<Record<string, Manifest>>, mesh: Manifest = {}): EffectiveTelemetry {
  const push = pushOf([
    object("MeshConfig", "istio-system/mesh", mesh),
    pod("a-v1", "10.0.0.1"),
    ...Object.entries(specs).map(([name, spec]) => object("Telemetry", name, spec)),
  ]);
  return effectiveTelemetry(push, applicableTelemetry(push, proxy("a-v1")));
}

/** A setting and what it overrode: `value namespace/name path`, the nearest first. */
function told<T>(setting: Setting<T> | undefined, show: (value: T) => string = String): string[] {
  if (setting === undefined) return [];
  const { value, place, overrode } = setting;
  const by = place.config === undefined ? "nobody" : `${place.config.namespace}/${place.config.name}`;
  return [`${show(value)} ${by} ${place.path}`, ...told(overrode, show)];
}

describe("every setting tells who wrote it, where, and what it overrode", () => {
  const count = (more: Manifest) => ({
    metrics: [{}, { overrides: [{ match: { metric: "REQUEST_COUNT" }, ...more }] }],
  });
  const tag = (value: string) => ({ tagOverrides: { "my.tag": { value } } });

  it("of metrics", () => {
    const { metrics, objects } = effective({
      "istio-system/root": count({ ...tag("'1'"), disabled: true }),
      "default/all": count({ ...tag("'2'") }),
      "default/one": { selector: { matchLabels: { app: "a" } }, ...count({ ...tag("'3'"), disabled: false }) },
    });
    expect(objects.map(({ name }) => name)).toEqual(["root", "all", "one"]);
    const [provider] = metrics.CLIENT.byProvider;
    const [metric] = provider?.metrics ?? [];
    expect(told(metric?.disabled)).toEqual([
      "false default/one spec.metrics[1].overrides[0].disabled",
      "true istio-system/root spec.metrics[1].overrides[0].disabled",
    ]);
    expect(told(metric?.tags.get("my.tag"), ({ value }) => value)).toEqual([
      "'3' default/one spec.metrics[1].overrides[0].tagOverrides[\"my.tag\"]",
      "'2' default/all spec.metrics[1].overrides[0].tagOverrides[\"my.tag\"]",
      "'1' istio-system/root spec.metrics[1].overrides[0].tagOverrides[\"my.tag\"]",
    ]);
    expect(told(metrics.SERVER.providers, (names) => names.join())).toEqual([
      "prometheus /mesh spec.defaultProviders.metrics",
    ]);
  });

  it("of metrics that are off, and on again", () => {
    const { metrics } = effective({
      "istio-system/root": { metrics: [{ overrides: [{ disabled: true }], reportingInterval: "9s" }] },
      "default/all": { metrics: [{ overrides: [{ match: { mode: "CLIENT" } }], reportingInterval: "3s" }] },
    });
    const [client] = metrics.CLIENT.byProvider;
    expect(told(client?.off)).toEqual([
      "false default/all spec.metrics[0].overrides[0]",
      "true istio-system/root spec.metrics[0].overrides[0].disabled",
    ]);
    expect(told(metrics.SERVER.byProvider[0]?.off)).toEqual([
      "true istio-system/root spec.metrics[0].overrides[0].disabled",
    ]);
    expect(told(client?.reportingInterval)).toEqual([
      "3000 default/all spec.metrics[0].reportingInterval",
      "9000 istio-system/root spec.metrics[0].reportingInterval",
    ]);
  });

  it("of access logs", () => {
    const { accessLogs } = effective(
      {
        "istio-system/root": { accessLogging: [{ providers: [{ name: "envoy" }], filter: { expression: "true" } }] },
        "default/all": { accessLogging: [{ match: { mode: "SERVER" }, disabled: true }] },
      },
      { defaultProviders: { accessLogging: ["other"] } },
    );
    expect(told(accessLogs.CLIENT?.providers, (names) => names.join())).toEqual([
      "envoy istio-system/root spec.accessLogging[0].providers",
      "other /mesh spec.defaultProviders.accessLogging",
    ]);
    const [log] = accessLogs.SERVER?.logs ?? [];
    expect(told(log?.enabled)).toEqual([
      "false default/all spec.accessLogging[0].disabled",
      "true istio-system/root spec.accessLogging[0]",
    ]);
    expect(told(log?.filter)).toEqual(["true istio-system/root spec.accessLogging[0].filter.expression"]);
  });

  it("says nothing about logs where nobody does", () => {
    const metricsOnly = effective({ "default/t": { metrics: [{}] } });
    expect(metricsOnly.accessLogs).toEqual({ CLIENT: undefined, SERVER: undefined });
  });
});
