import type { ResolvedGateway, ResolvedServer } from "../../model/gateway.ts";
import type { GeneratorInput } from "../generator-input.ts";
import { isHttp } from "../is-http.ts";
import { endsTls } from "../tls/server-tls.ts";

/**
 * What becomes of the connections to a server: routed by their requests, in clear or after TLS has ended here; led on
 * as bytes, in clear or after TLS has ended here; led on in their own TLS, by the server name that they ask for.
 */
export type ServerKind = "http" | "https" | "tcp" | "tls" | "passthrough";

export interface PlannedServer {
  readonly gateway: ResolvedGateway;
  readonly server: ResolvedServer;
  readonly kind: ServerKind;
  /** Its route configuration, if it is routed by requests. */
  readonly routeName: string;
}

/** The servers of all Gateways that share one address and port of a gateway proxy. */
export interface GatewayPlan {
  readonly name: string;
  readonly bind: string;
  /** That the proxy listens on. */
  readonly port: number;
  /** All of kind `http`, all of kind `tcp`, or any of the others. */
  readonly servers: readonly PlannedServer[];
}

/** What a gateway proxy serves: a server names the port of a Service in front of it, or the proxy's own. */
export function gatewayPlans({ push, proxy }: Pick<GeneratorInput, "push" | "proxy">): GatewayPlan[] {
  const targets = push.serviceTargets(proxy);
  const listening = (number: number) => targets.find(({ port }) => port.port === number)?.targetPort ?? number;
  return planGateways(push.gateways(proxy), listening);
}

/**
 * Servers merged by address and port, oldest first [control-plane §7.7]: HTTP shares one chain, TLS is told apart by
 * the server names, and what could not be told from a server before it is left out. `listening` says which port is
 * behind that of a server.
 */
export function planGateways(
  gateways: readonly ResolvedGateway[],
  listening: (port: number) => number = (port) => port,
): GatewayPlan[] {
  const plans = new Map<string, GatewayPlan>();
  for (const gateway of gateways) {
    for (const server of gateway.servers) {
      if (server.bind.startsWith("unix:")) continue;
      const bind = server.bind === "" ? "0.0.0.0" : server.bind;
      const port = listening(server.port.number);
      const name = `${bind}_${port}`;
      const known = plans.get(name) ?? { name, bind, port, servers: [] };
      const planned = { gateway, server, kind: kindOf(server), routeName: routeName(gateway, server, port) };
      if (fits(planned, known.servers)) plans.set(name, { ...known, servers: [...known.servers, planned] });
    }
  }
  return [...plans.values()];
}

function kindOf({ protocol, tls }: ResolvedServer): ServerKind {
  if (isHttp(protocol)) return "http";
  if (protocol !== "HTTPS" && protocol !== "TLS") return "tcp";
  if (!endsTls(tls)) return "passthrough";
  return protocol === "HTTPS" ? "https" : "tls";
}

function fits(candidate: PlannedServer, present: readonly PlannedServer[]): boolean {
  const [first] = present;
  if (first === undefined) return true;
  if (candidate.kind === "http" || first.kind === "http") return candidate.kind === first.kind;
  if (candidate.kind === "tcp" || first.kind === "tcp") return false;
  const taken = new Set(present.flatMap(serverNames));
  return !serverNames(candidate).some((name) => taken.has(name));
}

/** The server names that lead to a server; `*` for all. */
export function serverNames({ server }: Pick<PlannedServer, "server">): string[] {
  return [...new Set(server.serverHosts.map(({ host }) => host))];
}

/** Those that share an address share HTTP routes; HTTPS servers, told apart by name, go by the port of the Gateway. */
function routeName({ config }: ResolvedGateway, { protocol, port, bind }: ResolvedServer, listening: number): string {
  const suffix = bind === "" ? "" : `.${bind}`;
  if (isHttp(protocol)) return `http.${listening}${suffix}`;
  return `https.${port.number}.${port.name}.${config.name}.${config.namespace}${suffix}`;
}
