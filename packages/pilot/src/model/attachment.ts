import type { ConfigObject } from "../config/config-object.ts";
import type { StringMap, TargetRef, WorkloadSelector } from "../config/kinds/common.ts";
import { selectorMatches } from "./labels.ts";
import type { AttachedKind } from "./push-context.ts";

const GATEWAY_NAME_LABEL = "gateway.networking.k8s.io/gateway-name";

/** Whether a resource applies to a workload of `namespace` with these labels (§1.2, §6.1). */
export function isAttached(config: ConfigObject<AttachedKind>, namespace: string, labels: StringMap): boolean {
  const { spec } = config;
  const refs = "targetRefs" in spec ? spec.targetRefs : [];
  if (refs.length > 0) return isTarget(refs, config.namespace, namespace, labels[GATEWAY_NAME_LABEL]);
  const selector: WorkloadSelector | undefined = spec.selector;
  return selector === undefined || selectorMatches(selector.labels, labels);
}

/** Target references choose Gateway API gateways of their own namespace; sidecars ignore such resources. */
function isTarget(
  refs: readonly TargetRef[],
  owner: string,
  namespace: string,
  gatewayName: string | undefined,
): boolean {
  if (gatewayName === undefined || owner !== namespace) return false;
  return refs.some(
    (ref) => ref.kind === "Gateway" && ref.group === "gateway.networking.k8s.io" && ref.name === gatewayName,
  );
}
