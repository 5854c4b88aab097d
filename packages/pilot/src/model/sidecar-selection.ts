import type { ConfigObject } from "../config/config-object.ts";
import type { ConfigSnapshot } from "../config/config-snapshot.ts";
import type { StringMap } from "../config/kinds/common.ts";
import { selectorMatches } from "./labels.ts";

type SidecarConfig = ConfigObject<"Sidecar">;

/**
 * The Sidecar of a workload: one that selects it, else one of its namespace, else one of the root namespace,
 * always the oldest (§7.9). Undefined: the implicit default.
 */
export function selectSidecar(
  snapshot: ConfigSnapshot,
  rootNamespace: string,
  namespace: string,
  labels: StringMap,
): SidecarConfig | undefined {
  const sidecars = snapshot.list("Sidecar");
  const near = sidecars.filter((sidecar) => sidecar.namespace === namespace);
  return (
    near.find((sidecar) => !isNamespaceWide(sidecar) && selectorMatches(selectorOf(sidecar), labels)) ??
    near.find(isNamespaceWide) ??
    sidecars.find((sidecar) => sidecar.namespace === rootNamespace && isNamespaceWide(sidecar))
  );
}

function selectorOf(sidecar: SidecarConfig): StringMap {
  return sidecar.spec.workloadSelector?.labels ?? {};
}

function isNamespaceWide(sidecar: SidecarConfig): boolean {
  return Object.keys(selectorOf(sidecar)).length === 0;
}
