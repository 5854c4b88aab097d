import type { ConfigObject } from "../config/config-object.ts";
import type { StringMap } from "../config/kinds/common.ts";
import type { Locality } from "./locality.ts";

/** One address and port behind a service port. */
export interface Endpoint {
  /** An IP address, a host name (DNS services), or a `unix://` path. */
  readonly address: string;
  /** 0 for a Unix socket. */
  readonly port: number;
  /** The service port it belongs to. */
  readonly servicePortName: string;
  readonly labels: StringMap;
  readonly locality: Locality;
  /** At least 1. */
  readonly weight: number;
  readonly network: string;
  readonly clusterId: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** `spiffe://<trust domain>/ns/<namespace>/sa/<account>`; empty without a service account. */
  readonly identity: string;
  readonly health: "healthy" | "unhealthy" | "draining";
  /** Whether the workload has a sidecar that speaks mTLS, before PeerAuthentication. */
  readonly tlsMode: "istio" | "disabled";
  /** Value of endpoint metadata `istio.workload`: `workload;ns;canonical;revision;cluster`. */
  readonly istioWorkload: string;
  /** Name of the Pod or WorkloadEntry; empty for inline endpoints. */
  readonly instanceName: string;
  readonly config: ConfigObject;
}
