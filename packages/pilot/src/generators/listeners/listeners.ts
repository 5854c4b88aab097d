import type { Listener } from "@mixerless/wire/envoy/config/listener/v3/listener";
import type { Generated } from "../generated.ts";
import { type GeneratorInput, isUncaptured } from "../generator-input.ts";
import { gatewayListeners } from "./gateway-listeners.ts";
import { inboundListeners } from "./inbound-listeners.ts";
import { outboundListeners } from "./outbound-listeners.ts";

/** Every listener of a proxy. Two of one name cannot be: the first stays. */
export function generateListeners(input: GeneratorInput): Generated<Listener>[] {
  if (input.proxy.type === "router") return gatewayListeners(input);
  // Capture by the original destination comes with Linux hosts and pods.
  if (!isUncaptured(input.proxy) && !hasUncapturedSidecar(input)) return [];
  const scope = input.push.sidecarScope(input.proxy);
  const byName = new Map<string, Generated<Listener>>();
  for (const listener of [...inboundListeners(input, scope), ...outboundListeners(input, scope)]) {
    if (!byName.has(listener.name)) byName.set(listener.name, listener);
  }
  return [...byName.values()];
}

function hasUncapturedSidecar({ push, proxy }: GeneratorInput): boolean {
  const { config } = push.sidecarScope(proxy);
  return (
    config !== undefined &&
    [...config.spec.ingress, ...config.spec.egress].some((listener) => listener.captureMode === "NONE")
  );
}
