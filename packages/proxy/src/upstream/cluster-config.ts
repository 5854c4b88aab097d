import type { CircuitBreakerLimits } from "./circuit-breaker.ts";
import type { DnsFamily } from "./dns-resolver.ts";
import type { OutlierDetectionConfig } from "./outlier-detection.ts";
import type { PoolSettings } from "./pool/pool-context.ts";
import type { TransportSockets } from "./transport-sockets.ts";
import type { EndpointConfig, Locality } from "./upstream-host.ts";

/** An endpoint whose address is still a name. */
export interface NamedEndpoint {
  readonly name: string;
  readonly port: number;
  readonly weight: number;
  readonly priority: number;
  readonly locality: Locality;
  readonly localityWeight: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly serving: boolean;
}

/** Where the hosts of a cluster come from. */
export type Discovery =
  | { readonly kind: "static"; readonly endpoints: readonly EndpointConfig[]; readonly overprovisioning: number }
  | { readonly kind: "eds"; readonly serviceName: string }
  | {
      readonly kind: "strict-dns" | "logical-dns";
      readonly endpoints: readonly NamedEndpoint[];
      /** As {@link HostSet.overprovisioning}. */
      readonly overprovisioning: number;
      readonly family: DnsFamily;
      /** Milliseconds between look-ups. */
      readonly refreshRate: number;
      /** The lifetime that an answer brings takes the place of the rate. */
      readonly respectTtl: boolean;
      /** After failures in a row: from `base` doubling up to `maximum`, milliseconds. Null: the rate. */
      readonly failureRefresh: { readonly base: number; readonly maximum: number } | null;
    };

export type LoadBalancerPolicy =
  | { readonly kind: "round-robin"; readonly slowStart: SlowStartConfig | null }
  | { readonly kind: "random" }
  | {
      readonly kind: "least-request";
      readonly choices: number;
      /** Exponent of the requests in flight by which a weighted host's share shrinks; 0: they do not count. */
      readonly activeRequestBias: number;
      readonly slowStart: SlowStartConfig | null;
    }
  | { readonly kind: "ring-hash"; readonly minimumSize: number; readonly maximumSize: number }
  | { readonly kind: "maglev"; readonly tableSize: number };

/** How a new host is given its share of the requests. */
export interface SlowStartConfig {
  /** Milliseconds until it has all of it. */
  readonly window: number;
  /** 1: the share grows evenly; above, faster at first. */
  readonly aggression: number;
  /** The share it begins with, 0 to 1. */
  readonly minimum: number;
}

/** An `envoy.config.cluster.v3.Cluster`, reduced to what the data path asks for. */
export interface ClusterConfig {
  readonly name: string;
  /** `alt_stat_name`, else the name. */
  readonly statName: string;
  readonly discovery: Discovery;
  readonly policy: LoadBalancerPolicy;
  readonly localityWeighted: boolean;
  /** Percent. */
  readonly panicThreshold: number;
  /** Of requests of the default priority, and of those of routes with `priority: HIGH`. */
  readonly limits: CircuitBreakerLimits;
  readonly highPriorityLimits: CircuitBreakerLimits;
  /** Milliseconds; 0: no limit. */
  readonly maxStreamDuration: number;
  readonly pool: Readonly<PoolSettings>;
  readonly sockets: TransportSockets;
  readonly outlierDetection: OutlierDetectionConfig | null;
  readonly metadata: Readonly<Record<string, unknown>>;
}
