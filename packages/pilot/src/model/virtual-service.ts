import type { ConfigObject } from "../config/config-object.ts";
import type { HttpRoute, TcpRoute, TlsRoute } from "../config/kinds/virtual-service.ts";
import type { Visibility } from "./visibility.ts";

/** A VirtualService with short names resolved and delegates merged in. */
export interface ResolvedVirtualService {
  readonly name: string;
  readonly namespace: string;
  /** Lower case, fully qualified. */
  readonly hosts: readonly string[];
  /** `mesh`, or `namespace/name`. */
  readonly gateways: readonly string[];
  readonly http: readonly ResolvedHttpRoute[];
  /** Hosts of destinations are fully qualified, gateways of matches resolved. */
  readonly tls: readonly TlsRoute[];
  readonly tcp: readonly TcpRoute[];
  readonly visibility: Visibility;
  readonly config: ConfigObject<"VirtualService">;
}

/** Hosts of destinations and mirrors are fully qualified, gateways of matches resolved, no delegate left. */
export interface ResolvedHttpRoute extends Omit<HttpRoute, "delegate"> {
  /** The object that holds the route: the VirtualService itself, or its delegate. */
  readonly config: ConfigObject<"VirtualService">;
  /** Path of the route in that object, such as `spec.http[0]`. */
  readonly path: string;
}
