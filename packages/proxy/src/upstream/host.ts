import type { SocketAddress } from "../transport/transport.ts";

/** One endpoint of a cluster. */
export interface Host {
  readonly address: SocketAddress;
  readonly hostname: string;
  readonly weight: number;
  readonly priority: number;
  readonly locality: { readonly region: string; readonly zone: string; readonly subZone: string };
  /** `filter_metadata` of the endpoint, plain JSON, e.g. `istio.workload`. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** By EDS, active checks and outlier detection together. */
  readonly healthy: boolean;
  /** Requests in flight. */
  activeRequests: number;
}
