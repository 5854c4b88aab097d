import type { ConfigPort, Destination, WorkloadSelector } from "./common.ts";
import type { ConnectionPoolSettings } from "./destination-rule.ts";
import type { ServerTlsSettings } from "./gateway.ts";

/** networking.istio.io Sidecar. */
export interface SidecarSpec {
  readonly workloadSelector?: WorkloadSelector;
  readonly ingress: readonly SidecarIngress[];
  readonly egress: readonly SidecarEgress[];
  readonly outboundTrafficPolicy?: OutboundTrafficPolicy;
  readonly inboundConnectionPool?: ConnectionPoolSettings;
}

export type CaptureMode = "DEFAULT" | "IPTABLES" | "NONE";

export interface SidecarIngress {
  readonly port: ConfigPort;
  /** An IP address; empty for the default of the capture mode. */
  readonly bind: string;
  readonly captureMode: CaptureMode;
  /** `127.0.0.1:p`, `0.0.0.0:p`, `[::1]:p`, `[::]:p`, `unix://…`, or empty. */
  readonly defaultEndpoint: string;
  readonly tls?: ServerTlsSettings;
  readonly connectionPool?: ConnectionPoolSettings;
}

export interface SidecarEgress {
  /** Absent for the catch-all listener. `number` is 0 for a Unix socket. */
  readonly port?: ConfigPort;
  /** An IP address, `unix://…`, or empty. */
  readonly bind: string;
  readonly captureMode: CaptureMode;
  /** `namespace/dns`, as written; the namespace may be `*`, `.`, `~`. */
  readonly hosts: readonly string[];
}

export interface OutboundTrafficPolicy {
  readonly mode: "REGISTRY_ONLY" | "ALLOW_ANY";
  readonly egressProxy?: Destination;
}
