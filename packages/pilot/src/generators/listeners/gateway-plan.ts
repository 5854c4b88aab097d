import type { ResolvedGateway, ResolvedServer } from "../../model/gateway.ts";
import { isHttp } from "../is-http.ts";

/** The servers of all Gateways that share one address and port of a gateway proxy. */
export interface GatewayPlan {
  readonly name: string;
  readonly bind: string;
  readonly port: number;
  readonly routeName: string;
  readonly servers: readonly { readonly gateway: ResolvedGateway; readonly server: ResolvedServer }[];
}

/** Plaintext HTTP servers merged by address and port, oldest first [control-plane §7.7]. TLS and TCP servers come later. */
export function planGateways(gateways: readonly ResolvedGateway[]): GatewayPlan[] {
  const plans = new Map<string, GatewayPlan>();
  for (const gateway of gateways) {
    for (const server of gateway.servers) {
      if (!isHttp(server.protocol)) continue;
      const bind = server.bind === "" ? "0.0.0.0" : server.bind;
      const { number: port } = server.port;
      const name = `${bind}_${port}`;
      const routeName = server.bind === "" ? `http.${port}` : `http.${port}.${bind}`;
      const known = plans.get(name);
      const entry = { gateway, server };
      plans.set(
        name,
        known === undefined
          ? { name, bind, port, routeName, servers: [entry] }
          : { ...known, servers: [...known.servers, entry] },
      );
    }
  }
  return [...plans.values()];
}
