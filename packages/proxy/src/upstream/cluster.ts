import type { RequestEncoder, ResponseDecoder } from "../http/codec.ts";
import type { HeaderMap } from "../http/header-map.ts";
import type { ConnectionInfo, Transport } from "../transport/transport.ts";
import type { Host } from "./host.ts";

/** What load balancing may look at. Facts that are not there are null. */
export interface LoadBalancerContext {
  /** By the route's hash policy; 64 bits, unsigned. */
  readonly hash: bigint | null;
  readonly downstream: ConnectionInfo | null;
  readonly requestHeaders: HeaderMap | null;
  /** The route's `priority` is HIGH: limits and connections of their own. */
  readonly highPriority: boolean;
  /** Hosts that a retry should not meet again (the `previous_hosts` predicate); empty where it does not matter. */
  readonly triedHosts: readonly Host[];
  /** Further picks where the first one gives a host of {@link triedHosts}. */
  readonly hostAttempts: number;
  /** Endpoint priorities that a retry should leave out as long as others can serve (`previous_priorities`). */
  readonly triedPriorities: ReadonlySet<number>;
}

/** Why no upstream stream came about. Each has its response flag [telemetry §1.8]. */
export type PoolFailure = "no-healthy-upstream" | "overflow" | "connect-failure" | "connect-timeout";

export interface HttpPoolCallbacks {
  onReady(encoder: RequestEncoder, host: Host): void;
  /** `host` is null when none could be chosen. `details` becomes the transport failure reason. */
  onFailure(reason: PoolFailure, host: Host | null, details: string): void;
}

export interface TcpPoolCallbacks {
  onReady(transport: Transport, host: Host): void;
  onFailure(reason: PoolFailure, host: Host | null, details: string): void;
}

export interface Cancellable {
  /** Before onReady or onFailure: neither will be called. */
  cancel(): void;
}

/** A stream that its caller takes over a connection that it makes and keeps itself, as one of HTTP/2. */
export interface AdmittedStream {
  readonly host: Host;
  /**
   * Opens a connection to the host, by TLS with these protocols where the cluster has TLS. May call back before it
   * returns; then the result is null.
   */
  connect(protocols: readonly string[], callbacks: TcpPoolCallbacks): Cancellable | null;
  /** To be called once, when the stream is over. */
  done(): void;
}

/** A named group of endpoints with its balancing, pools and limits. */
export interface Cluster {
  readonly name: string;
  /** `filter_metadata` of the cluster, plain JSON; `istio.services` names the service. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Asks for a stream on a pooled connection. May call back before it returns; then the result is null. */
  newStream(context: LoadBalancerContext, decoder: ResponseDecoder, callbacks: HttpPoolCallbacks): Cancellable | null;
  /** Asks for a connection of its own. May call back before it returns; then the result is null. */
  newConnection(context: LoadBalancerContext, callbacks: TcpPoolCallbacks): Cancellable | null;
  /** Chooses the host of a stream and counts the stream; or says why there is none. */
  admitStream(context: LoadBalancerContext): AdmittedStream | PoolFailure;
  /** Reports how a request to `host` ended: feeds outlier detection. Status 0: no response. */
  reportOutcome(host: Host, status: number, localFailure: boolean): void;
  /** Milliseconds that one stream to this cluster may last; 0: no limit. */
  readonly maxStreamDuration: number;
  /** Admission of one more concurrent retry by the circuit breaker; call `done` when it ends. */
  admitRetry(highPriority: boolean): { done(): void } | null;
}

export interface ClusterManager {
  get(name: string): Cluster | null;
}
