import type { ConfigObject } from "../config/config-object.ts";
import type { ConfigPort } from "../config/kinds/common.ts";
import type { ConnectionPoolSettings } from "../config/kinds/destination-rule.ts";
import type { CaptureMode, OutboundTrafficPolicy, SidecarIngress } from "../config/kinds/sidecar.ts";
import type { MergedDestinationRule } from "./destination-rule.ts";
import type { Protocol } from "./protocol.ts";
import type { Service } from "./service.ts";
import type { ResolvedVirtualService } from "./virtual-service.ts";

/** What one workload may call and how its inbound ports look (control-plane §7.9). Shared by equal workloads. */
export interface SidecarScope {
  /** Absent for the implicit default (everything visible, inbound ports from the services). */
  readonly config?: ConfigObject<"Sidecar">;
  /** The namespace of the workload. */
  readonly namespace: string;
  /** In the order of the resource; the catch-all, if any, is last. At least one. */
  readonly egress: readonly EgressListener[];
  /** Undefined: inbound ports come from the services that select the workload. */
  readonly ingress?: readonly IngressListener[];
  /** Every service that some egress listener imports, with all its imported ports; oldest first. */
  readonly services: readonly Service[];
  readonly outboundTrafficPolicy: OutboundTrafficPolicy;
  readonly inboundConnectionPool?: ConnectionPoolSettings;
  /** The imported service of that name, with the choice between namespaces already made. */
  readonly service: (hostname: string) => Service | undefined;
  /** The rule for a service, as workloads of this scope with these labels see it. */
  destinationRule(hostname: string, labels: Readonly<Record<string, string>>): MergedDestinationRule | undefined;
}

export interface EgressListener {
  /** Absent for the catch-all. Number 0 with a Unix socket bind. */
  readonly port?: ConfigPort & { readonly resolvedProtocol: Protocol };
  /** An IP address, `unix://…`, or empty. */
  readonly bind: string;
  readonly captureMode: CaptureMode;
  /** Only the ports that this listener serves; oldest service first. */
  readonly services: readonly Service[];
  /** Mesh VirtualServices for the imported hosts, oldest first. */
  readonly virtualServices: readonly ResolvedVirtualService[];
  /** Path of the entry in `SidecarScope.config`, such as `spec.egress[0]`; empty for the implicit one. */
  readonly path: string;
}

export interface IngressListener extends SidecarIngress {
  readonly protocol: Protocol;
  readonly path: string;
}
