import type { TelemetrySpec } from "../config/kinds/policies.ts";
import type { PushContext } from "../model/push-context.ts";
import type { TelemetryObject } from "./applicable-telemetry.ts";
import { type EffectiveAccessLogs, mergeAccessLogs } from "./merge-access-logs.ts";
import { type EffectiveMetrics, mergeMetrics } from "./merge-metrics.ts";
import { below, type Place, type Setting } from "./setting.ts";
import type { Side } from "./side.ts";

/**
 * What a workload measures and tells, each setting with the object and the field that decided it and the ones that
 * these overrode. A value: the generators read it, and so can whoever explains a setting or compares two of them.
 */
export interface EffectiveTelemetry {
  /** The objects that were merged, the nearest last. */
  readonly objects: readonly TelemetryObject[];
  readonly metrics: Readonly<Record<Side, EffectiveMetrics>>;
  /** Undefined: the log file of the mesh's configuration counts. */
  readonly accessLogs: Readonly<Record<Side, EffectiveAccessLogs | undefined>>;
}

/** Merges objects that apply to the same workload, the nearest last, on top of the configuration of the mesh. */
export function effectiveTelemetry(
  { mesh, meshConfig }: Pick<PushContext, "mesh" | "meshConfig">,
  objects: readonly TelemetryObject[],
): EffectiveTelemetry {
  const defaults = (section: keyof typeof mesh.defaultProviders): Setting<readonly string[]> => ({
    value: mesh.defaultProviders[section],
    place: { config: meshConfig, path: `spec.defaultProviders.${section}` },
  });
  const metrics = objects.flatMap((object) => entriesOf(object, "metrics"));
  const logs = objects.map((object) => entriesOf(object, "accessLogging")).filter(({ length }) => length > 0);
  return Object.freeze({
    objects,
    metrics: bothSides((side) => mergeMetrics(metrics, defaults("metrics"), side)),
    accessLogs: bothSides((side) => mergeAccessLogs(logs, defaults("accessLogging"), side)),
  });
}

function bothSides<T>(of: (side: Side) => T): Record<Side, T> {
  return { CLIENT: of("CLIENT"), SERVER: of("SERVER") };
}

type Section = "metrics" | "accessLogging";

/** The entries of a section, each with its place. */
function entriesOf<S extends Section>(
  config: TelemetryObject,
  section: S,
): { readonly entry: TelemetrySpec[S][number]; readonly place: Place }[] {
  const entries: readonly TelemetrySpec[S][number][] = config.spec[section];
  return entries.map((entry, index) => ({ entry, place: below({ config, path: "spec" }, section, index) }));
}
