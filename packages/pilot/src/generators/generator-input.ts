import type { ProxyNode } from "../model/proxy-node.ts";
import type { PushContext } from "../model/push-context.ts";

/** How proxies come by Istio's metrics [decision 2]. */
export type TelemetryMode = "native" | "envoyfilter" | "none";

/** What every generator is given: one proxy and one immutable revision of the configuration. */
export interface GeneratorInput {
  readonly proxy: ProxyNode;
  readonly push: PushContext;
  readonly telemetry: TelemetryMode;
}

/** Without capture nothing can be bound to the wildcard or to the original destination [control-plane §4.9]. */
export function isUncaptured(proxy: ProxyNode): boolean {
  return proxy.interceptionMode === "NONE";
}
