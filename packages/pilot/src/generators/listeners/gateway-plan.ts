import type { ResolvedGateway, ResolvedServer } from "../../model/gateway.ts";
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
  readonly port: number;
  /** All of kind `http`, all of kind `tcp`, or any of the others. */
  readonly servers: readonly PlannedServer[];
}

/**
 * Servers merged by address and port, oldest first [control-plane §7.7]: HTTP shares one chain, TLS is told apart by
 * the server names, and what could not be told from a server before it is left out.
 */
export function planGateways(gateways: readonly ResolvedGateway[]): GatewayPlan[] {
  const plans = new Map<string, GatewayPlan>();
  for (const gateway of gateways) {
    for (const server of gateway.servers) {
      if (server.bind.startsWith("unix:")) continue;
      const bind = server.bind === "" ? "0.0.0.0" : server.bind;
      const { number: port } = server.port;
      const name = `${bind}_${port}`;
      const known = plans.get(name) ?? { name, bind, port, servers: [] };
      const planned = { gateway, server, kind: kindOf(server), routeName: routeName(gateway, server) };
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

function routeName({ config }: ResolvedGateway, { protocol, port, bind }: ResolvedServer): string {
  const suffix = bind === "" ? "" : `.${bind}`;
  if (isHttp(protocol)) return `http.${port.number}${suffix}`;
  return `https.${port.number}.${port.name}.${config.name}.${config.namespace}${suffix}`;
}
