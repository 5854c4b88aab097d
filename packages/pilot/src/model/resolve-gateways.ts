import type { ConfigSnapshot } from "../config/config-snapshot.ts";
import type { GatewayServer } from "../config/kinds/gateway.ts";
import type { ResolvedGateway, ResolvedServer, ServerHost } from "./gateway.ts";
import { parseProtocol } from "./select-protocol.ts";

/** All Gateways, oldest first, with the namespaces of their hosts resolved (§7.7). */
export function resolveGateways(snapshot: ConfigSnapshot): readonly ResolvedGateway[] {
  return Object.freeze(
    snapshot.list("Gateway").map((config) =>
      Object.freeze<ResolvedGateway>({
        key: `${config.namespace}/${config.name}`,
        servers: Object.freeze(
          config.spec.servers.map((server, index) => resolveServer(server, index, config.namespace)),
        ),
        config,
      }),
    ),
  );
}

function resolveServer(server: GatewayServer, index: number, namespace: string): ResolvedServer {
  return Object.freeze<ResolvedServer>({
    ...server,
    protocol: parseProtocol(server.port.protocol),
    serverHosts: Object.freeze(server.hosts.map((host) => serverHost(host, namespace))),
    path: `spec.servers[${index}]`,
  });
}

function serverHost(text: string, namespace: string): ServerHost {
  const slash = text.indexOf("/");
  const owner = slash < 0 ? "*" : text.slice(0, slash);
  return Object.freeze({ namespace: owner === "." ? namespace : owner, host: text.slice(slash + 1).toLowerCase() });
}
