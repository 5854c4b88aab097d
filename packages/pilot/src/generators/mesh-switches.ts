import type { MeshConfigSpec } from "../config/kinds/mesh-config.ts";

/** The body of a 403 tells mesh peers which policy decided. */
export const EXPLAIN_REFUSALS = "MIXERLESS_EXPLAIN_REFUSALS";
/** Metrics have labels for the results of policies on trial. */
export const DRY_RUN_LABELS = "MIXERLESS_DRY_RUN_LABELS";

/** Istio's configuration of the mesh has no place for settings of ours but `defaultConfig.proxyMetadata`. */
export function isOn(mesh: MeshConfigSpec, name: typeof EXPLAIN_REFUSALS | typeof DRY_RUN_LABELS): boolean {
  return mesh.defaultConfig.proxyMetadata[name] === "true";
}
