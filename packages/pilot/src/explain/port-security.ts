import type { ServerTlsMode } from "../config/kinds/gateway.ts";
import { from, type Provenance } from "../generators/generated.ts";
import type { GeneratorInput } from "../generators/generator-input.ts";
import { gatewayPlans } from "../generators/listeners/gateway-plan.ts";
import { inboundMode } from "../generators/tls/mesh-identity.ts";
import { endsTls } from "../generators/tls/server-tls.ts";
import type { EffectiveMtls } from "../model/effective-mtls.ts";
import type { CallerConnection } from "./caller-connection.ts";
import type { InboundPort } from "./inbound-ports.ts";

/** What a port takes, and what says so. A gateway's servers and a Sidecar's ingress may ask for TLS of their own. */
export interface PortSecurity {
  readonly mode: EffectiveMtls | ServerTlsMode;
  readonly place: Provenance | null;
}

export function portSecurity(input: GeneratorInput, port: number): PortSecurity {
  if (input.proxy.type === "router") return gatewayPort(input, port);
  const { mode, config, path } = inboundMode(input, port);
  if (mode === "DISABLE") {
    const scope = input.push.sidecarScope(input.proxy);
    const own = scope.ingress?.find((ingress) => ingress.port.number === port);
    if (own !== undefined && endsTls(own.tls))
      return { mode: own.tls.mode, place: from(scope.config, own.path)[0] ?? null };
  }
  return { mode, place: from(config, path)[0] ?? null };
}

/** PeerAuthentication says nothing about the servers of a gateway. */
function gatewayPort(input: GeneratorInput, port: number): PortSecurity {
  const [planned] = gatewayPlans(input).find((plan) => plan.port === port)?.servers ?? [];
  if (planned === undefined) return { mode: "DISABLE", place: null };
  const { kind, gateway, server } = planned;
  const place = { config: gateway.config, path: server.path };
  if (kind === "http" || kind === "tcp" || server.tls === undefined) return { mode: "DISABLE", place };
  return { mode: server.tls.mode === "ISTIO_MUTUAL" ? "STRICT" : server.tls.mode, place };
}

/** Whether a connection as its caller speaks it ends at the port before anything is asked. */
export function refusesConnection(
  { mode }: PortSecurity,
  { speaks }: Pick<CallerConnection, "speaks">,
  { http }: InboundPort,
): boolean {
  switch (mode) {
    case "DISABLE":
      return speaks === "mutual-tls" || (speaks === "tls" && http);
    case "PERMISSIVE":
      // What is not the mesh's TLS is passed on by a TCP port, and has no chain on an HTTP one.
      return speaks === "tls" && http;
    case "STRICT":
    case "ISTIO_MUTUAL":
      return speaks !== "mutual-tls";
    case "PASSTHROUGH":
    case "AUTO_PASSTHROUGH":
      return speaks === "plaintext";
    default:
      return speaks !== "tls";
  }
}
