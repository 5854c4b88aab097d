import type { GeneratorInput } from "../generators/generator-input.ts";
import { isHttp } from "../generators/is-http.ts";
import { gatewayPlans } from "../generators/listeners/gateway-plan.ts";

/** A port on which a proxy takes calls for its workload. */
export interface InboundPort {
  readonly number: number;
  readonly http: boolean;
}

/** Every port that a proxy listens on for others, in the order of the configuration. */
export function inboundPorts(input: GeneratorInput): InboundPort[] {
  const { push, proxy } = input;
  if (proxy.type === "router")
    return gatewayPlans(input).map(({ port, servers: [first] }) => ({
      number: port,
      http: first?.kind === "http" || first?.kind === "https",
    }));
  const { ingress } = push.sidecarScope(proxy);
  if (ingress !== undefined)
    return ingress.map(({ port, protocol }) => ({ number: port.number, http: isHttp(protocol) }));
  return push
    .serviceTargets(proxy)
    .map(({ targetPort, port }) => ({ number: targetPort, http: isHttp(port.protocol) }));
}
