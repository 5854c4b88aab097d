import type { ConfigObject } from "../config/config-object.ts";
import type { GatewayServer } from "../config/kinds/gateway.ts";
import type { Protocol } from "./protocol.ts";

/** A Gateway that selects a proxy. */
export interface ResolvedGateway {
  /** `namespace/name`, the form in `ResolvedVirtualService.gateways`. */
  readonly key: string;
  readonly servers: readonly ResolvedServer[];
  readonly config: ConfigObject<"Gateway">;
}

export interface ResolvedServer extends GatewayServer {
  readonly protocol: Protocol;
  readonly serverHosts: readonly ServerHost[];
  /** Path in the Gateway, such as `spec.servers[0]`. */
  readonly path: string;
}

export interface ServerHost {
  /** Namespace that VirtualServices must come from; `*` for any. */
  readonly namespace: string;
  /** Lower case; may be a wildcard. */
  readonly host: string;
}
