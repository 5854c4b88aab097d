import type { Clock, DeadlineWheel } from "@mixerless/clock";
import type { BufferLimit } from "../../transport/transport.ts";
import type { CircuitBreaker } from "../circuit-breaker.ts";
import type { ClusterStats } from "../cluster-stats.ts";
import type { HostSecurity } from "../transport-sockets.ts";
import type { Connector } from "./connector.ts";

/** What the pools of one cluster share. */
export interface PoolContext {
  readonly clock: Clock;
  readonly wheel: DeadlineWheel;
  readonly connector: Connector;
  readonly security: HostSecurity;
  readonly breaker: CircuitBreaker;
  readonly stats: ClusterStats;
  readonly settings: PoolSettings;
}

/** Replaced as a whole when the cluster changes; new connections follow the new settings. */
export interface PoolSettings {
  /** Milliseconds. */
  connectTimeout: number;
  /** Milliseconds an idle connection is kept; 0: for ever. Envoy's default is one hour. */
  idleTimeout: number;
  /** Milliseconds until a connection takes no further request; 0: no limit. */
  maxConnectionDuration: number;
  /** 0: no limit. */
  maxRequestsPerConnection: number;
  /** Source address of upstream connections; null: any. */
  localAddress: string | null;
  /** Of each connection; null: the proxy's own. */
  bufferLimit: BufferLimit;
}
