import { effectiveMtls, type MtlsSetting } from "../../model/effective-mtls.ts";
import type { ProxyNode } from "../../model/proxy-node.ts";
import type { PushContext } from "../../model/push-context.ts";
import type { GeneratorInput } from "../generator-input.ts";

const TLS_MODE_LABEL = "security.istio.io/tlsMode";

/**
 * Whether a proxy has a certificate of the mesh to show: its workload says so, as upstream's injection writes it.
 * Upstream takes it for granted; here a mesh may move to mutual TLS proxy by proxy.
 */
export function hasIdentity(push: PushContext, proxy: ProxyNode): boolean {
  return push.labelsOf(proxy)[TLS_MODE_LABEL] === "istio" || push.workload(proxy)?.tlsMode === "istio";
}

/** What a port of the proxy's own workload takes. Without an authority nothing but plaintext. */
export function inboundMode({ push, proxy, mutualTls }: GeneratorInput, port: number): MtlsSetting {
  if (mutualTls !== true) return { mode: "DISABLE" };
  const setting = effectiveMtls(push, proxy.namespace, push.labelsOf(proxy), port);
  // Who has nothing to show can't serve the half of PERMISSIVE; STRICT still means that nobody gets in without TLS.
  return setting.mode === "PERMISSIVE" && !hasIdentity(push, proxy) ? { ...setting, mode: "DISABLE" } : setting;
}
