import type { Milliseconds, StringMap, WorkloadSelector } from "./common.ts";

/** networking.istio.io DestinationRule. */
export interface DestinationRuleSpec {
  /** As written; short names are resolved by the model. */
  readonly host: string;
  readonly trafficPolicy?: TrafficPolicy;
  readonly subsets: readonly Subset[];
  readonly exportTo: readonly string[];
  readonly workloadSelector?: WorkloadSelector;
}

export interface Subset {
  readonly name: string;
  readonly labels: StringMap;
  readonly trafficPolicy?: TrafficPolicy;
}

/** The four settings that a port-level entry replaces as a whole. */
export interface PortTrafficPolicy {
  readonly loadBalancer?: LoadBalancerSettings;
  readonly connectionPool?: ConnectionPoolSettings;
  readonly outlierDetection?: OutlierDetection;
  readonly tls?: ClientTlsSettings;
}

export interface TrafficPolicy extends PortTrafficPolicy {
  readonly portLevelSettings: readonly PortLevelSettings[];
  readonly tunnel?: TunnelSettings;
  readonly proxyProtocol?: ProxyProtocolSettings;
  readonly retryBudget?: RetryBudget;
}

export interface PortLevelSettings extends PortTrafficPolicy {
  readonly port: number;
}

export type SimpleLoadBalancer =
  | "UNSPECIFIED"
  | "LEAST_CONN"
  | "RANDOM"
  | "PASSTHROUGH"
  | "ROUND_ROBIN"
  | "LEAST_REQUEST";

export interface LoadBalancerSettings {
  readonly simple?: SimpleLoadBalancer;
  readonly consistentHash?: ConsistentHash;
  readonly localityLbSetting?: LocalityLbSetting;
  /** `warmup`, or the old `warmupDurationSecs`. */
  readonly warmup?: Warmup;
}

export interface Warmup {
  readonly duration: Milliseconds;
  /** 0 to 100. */
  readonly minimumPercent?: number;
  readonly aggression?: number;
}

export interface ConsistentHash {
  readonly key?: HashKey;
  readonly algorithm: "ring-hash" | "maglev";
  /** Ring hash only; absent when an explicit `ringHash: {}` leaves it to Envoy. 1024 by default. */
  readonly minimumRingSize?: number;
  /** Maglev only. */
  readonly tableSize?: number;
}

export type HashKey =
  | { readonly type: "header"; readonly name: string }
  | { readonly type: "query-parameter"; readonly name: string }
  | { readonly type: "source-ip" }
  | { readonly type: "cookie"; readonly cookie: HashCookie };

export interface HashCookie {
  readonly name: string;
  readonly path: string;
  readonly ttl?: Milliseconds;
  readonly attributes: readonly { readonly name: string; readonly value: string }[];
}

export interface LocalityLbSetting {
  readonly enabled?: boolean;
  readonly distribute: readonly LocalityDistribution[];
  readonly failover: readonly LocalityFailover[];
  readonly failoverPriority: readonly string[];
}

export interface LocalityDistribution {
  readonly from: string;
  /** Target locality to weight; the weights sum to 100. */
  readonly to: Readonly<Record<string, number>>;
}

export interface LocalityFailover {
  readonly from: string;
  readonly to: string;
}

export interface ConnectionPoolSettings {
  readonly tcp?: TcpPoolSettings;
  readonly http?: HttpPoolSettings;
}

export interface TcpPoolSettings {
  readonly maxConnections?: number;
  readonly connectTimeout?: Milliseconds;
  readonly tcpKeepalive?: TcpKeepalive;
  readonly maxConnectionDuration?: Milliseconds;
  /** 0 switches the time-out off. */
  readonly idleTimeout?: Milliseconds;
}

export interface TcpKeepalive {
  readonly probes?: number;
  readonly time?: Milliseconds;
  readonly interval?: Milliseconds;
}

export interface HttpPoolSettings {
  readonly http1MaxPendingRequests?: number;
  readonly http2MaxRequests?: number;
  readonly maxRequestsPerConnection?: number;
  readonly maxRetries?: number;
  readonly idleTimeout?: Milliseconds;
  readonly h2UpgradePolicy?: "DEFAULT" | "DO_NOT_UPGRADE" | "UPGRADE";
  readonly useClientProtocol: boolean;
  readonly maxConcurrentStreams?: number;
}

export interface OutlierDetection {
  readonly consecutive5xxErrors?: number;
  readonly consecutiveGatewayErrors?: number;
  readonly splitExternalLocalOriginErrors: boolean;
  readonly consecutiveLocalOriginFailures?: number;
  readonly interval?: Milliseconds;
  readonly baseEjectionTime?: Milliseconds;
  /** 0 to 100. */
  readonly maxEjectionPercent?: number;
  /** 0 to 100. */
  readonly minHealthPercent?: number;
}

export interface ClientTlsSettings {
  readonly mode: "DISABLE" | "SIMPLE" | "MUTUAL" | "ISTIO_MUTUAL";
  readonly clientCertificate: string;
  readonly privateKey: string;
  readonly caCertificates: string;
  readonly caCrl: string;
  readonly credentialName: string;
  readonly subjectAltNames: readonly string[];
  readonly sni: string;
  readonly insecureSkipVerify: boolean;
}

export interface TunnelSettings {
  readonly protocol: "CONNECT" | "POST";
  readonly targetHost: string;
  readonly targetPort: number;
}

export interface ProxyProtocolSettings {
  readonly version: "V1" | "V2";
}

export interface RetryBudget {
  /** 0 to 100. */
  readonly percent?: number;
  readonly minRetryConcurrency?: number;
}
