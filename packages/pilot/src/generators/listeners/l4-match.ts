import type { L4Match } from "../../config/kinds/virtual-service.ts";
import type { GeneratorInput } from "../generator-input.ts";

/** The part of a TCP or TLS match that is known before any connection comes [control-plane §7.4]. */
export function appliesStatically(
  match: L4Match,
  { proxy, push }: GeneratorInput,
  port: number,
  /** `mesh`, or `namespace/name`. */
  gateway: string,
): boolean {
  if (match.port !== undefined && match.port !== port) return false;
  if (match.gateways.length > 0 && !match.gateways.includes(gateway)) return false;
  if (match.sourceNamespace !== "" && match.sourceNamespace !== proxy.namespace) return false;
  const labels = push.labelsOf(proxy);
  return Object.entries(match.sourceLabels).every(([key, value]) => labels[key] === value);
}
