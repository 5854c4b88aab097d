import type { ConfigObject } from "../config/config-object.ts";
import { isAttached } from "../model/attachment.ts";
import type { ProxyNode } from "../model/proxy-node.ts";
import type { PushContext } from "../model/push-context.ts";

export type TelemetryObject = ConfigObject<"Telemetry">;

/**
 * The Telemetry objects that speak for a proxy, the nearest last: that of the root namespace, that of its own, then
 * those that choose the workload, by their age [telemetry §4.2]. Workloads are chosen by objects of their own namespace
 * only.
 */
export function applicableTelemetry(push: PushContext, proxy: ProxyNode): readonly TelemetryObject[] {
  const all = push.configs("Telemetry");
  if (all.length === 0) return all;
  const namespaces = new Set([push.mesh.rootNamespace, proxy.namespace]);
  const wide = [...namespaces].flatMap((namespace) => namespaceWide(all, namespace)[0] ?? []);
  const labels = push.labelsOf(proxy);
  const own = all.filter(
    (config) =>
      config.namespace === proxy.namespace && !isNamespaceWide(config) && isAttached(config, proxy.namespace, labels),
  );
  return [...wide, ...own];
}

/** Those without a selector or a target. Only the first of them, the oldest, counts. */
export function namespaceWide(all: readonly TelemetryObject[], namespace: string): readonly TelemetryObject[] {
  return all.filter((config) => config.namespace === namespace && isNamespaceWide(config));
}

function isNamespaceWide({ spec: { selector, targetRefs } }: TelemetryObject): boolean {
  return targetRefs.length === 0 && Object.keys(selector?.labels ?? {}).length === 0;
}
