import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_DnsLookupFamily,
} from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import type { OutlierDetection } from "@mixerless/wire/envoy/config/cluster/v3/outlier_detection";
import { RoutingPriority } from "@mixerless/wire/envoy/config/core/v3/base";
import type { HttpProtocolOptions as CommonOptions } from "@mixerless/wire/envoy/config/core/v3/protocol";
import { TCP_EXCHANGE } from "../extension-host/extension.ts";
import { milliseconds } from "../http/routing/duration.ts";
import { configuredType } from "../network/configured-type.ts";
import { type CircuitBreakerLimits, DEFAULT_LIMITS } from "./circuit-breaker.ts";
import type { ClusterConfig, Discovery } from "./cluster-config.ts";
import { compileEndpoints, compileNamedEndpoints, type EndpointFault } from "./compile-endpoints.ts";
import { compilePolicy } from "./compile-policy.ts";
import type { DnsFamily } from "./dns-resolver.ts";
import type { OutlierDetectionConfig } from "./outlier-detection.ts";
import type { PoolSettings } from "./pool/pool-context.ts";
import { commonHttpOptions } from "./protocol-options.ts";
import { compileTransportSockets } from "./transport-sockets.ts";

/** A field of a message that the data path cannot do, and why. */
export interface ClusterFault {
  readonly path: string;
  readonly message: string;
}

const SECOND = 1000;
const HOUR = 3600 * SECOND;

/** Reduces the message to what the data path needs, or says which fields stand in the way. */
export function compileCluster(message: Cluster): { config: ClusterConfig } | { faults: ClusterFault[] } {
  const faults: ClusterFault[] = [];
  const discovery = compileDiscovery(message, faults);
  const policy = compilePolicy(message, faults);
  const common = commonHttpOptions(message, faults);
  const pool = compilePool(message, common, faults);
  const sockets = compileTransportSockets(message, faults);
  checkFilters(message, faults);
  if (discovery === null || policy === null || faults.length > 0) return { faults };
  return {
    config: {
      name: message.name,
      statName: message.altStatName || message.name,
      discovery,
      policy,
      localityWeighted: message.commonLbConfig?.localityConfigSpecifier.case === "localityWeightedLbConfig",
      panicThreshold: message.commonLbConfig?.healthyPanicThreshold?.value ?? 50,
      limits: compileLimits(message, RoutingPriority.DEFAULT),
      highPriorityLimits: compileLimits(message, RoutingPriority.HIGH),
      maxStreamDuration: milliseconds(common?.maxStreamDuration) ?? 0,
      pool,
      sockets,
      outlierDetection: message.outlierDetection ? compileOutliers(message.outlierDetection) : null,
      metadata: message.metadata?.filterMetadata ?? {},
    },
  };
}

/**
 * The exchange of peers' metadata is the only filter. It has nothing to do: connections that have agreed to it by their
 * ALPN always begin with it.
 */
function checkFilters({ filters }: Cluster, faults: ClusterFault[]): void {
  for (const [i, { name, typedConfig }] of filters.entries()) {
    const type = typedConfig === undefined ? "" : configuredType(typedConfig);
    if (type === TCP_EXCHANGE) continue;
    const message = `the network filter "${name}" of type ${type} is not supported in a cluster; remove it`;
    faults.push({ path: `filters[${i}]`, message });
  }
}

function compileDiscovery(message: Cluster, faults: ClusterFault[]): Discovery | null {
  if (message.clusterDiscoveryType.case === "clusterType") {
    faults.push({ path: "clusterType", message: "custom cluster types are not supported; use type" });
    return null;
  }
  const type = message.clusterDiscoveryType.value ?? Cluster_DiscoveryType.STATIC;
  switch (type) {
    case Cluster_DiscoveryType.EDS:
      return { kind: "eds", serviceName: message.edsClusterConfig?.serviceName || message.name };
    case Cluster_DiscoveryType.STATIC: {
      const result = compileEndpoints(message.loadAssignment);
      addEndpointFaults(result.faults, faults);
      return { kind: "static", endpoints: result.endpoints, overprovisioning: result.overprovisioning };
    }
    case Cluster_DiscoveryType.STRICT_DNS:
    case Cluster_DiscoveryType.LOGICAL_DNS: {
      const result = compileNamedEndpoints(message.loadAssignment);
      addEndpointFaults(result.faults, faults);
      const kind = type === Cluster_DiscoveryType.STRICT_DNS ? "strict-dns" : "logical-dns";
      const { endpoints, overprovisioning } = result;
      return { kind, endpoints, overprovisioning, ...compileRefresh(message, faults) };
    }
    default:
      faults.push({
        path: "type",
        message: `${Cluster_DiscoveryType[type] ?? type} needs captured traffic, which this data plane does not have; use STATIC, EDS, STRICT_DNS or LOGICAL_DNS`,
      });
      return null;
  }
}

function compileRefresh(message: Cluster, faults: ClusterFault[]) {
  const failure = message.dnsFailureRefreshRate;
  const base = milliseconds(failure?.baseInterval) ?? 0;
  const maximum = milliseconds(failure?.maxInterval) ?? 10 * base;
  if (failure !== undefined && (base < 1 || maximum < base)) {
    faults.push({
      path: "dnsFailureRefreshRate",
      message: "baseInterval must be at least 1 ms and maxInterval not below it",
    });
  }
  return {
    family: dnsFamily(message.dnsLookupFamily),
    refreshRate: milliseconds(message.dnsRefreshRate) ?? 5 * SECOND,
    respectTtl: message.respectDnsTtl,
    failureRefresh: failure === undefined ? null : { base, maximum },
  };
}

function addEndpointFaults(found: readonly EndpointFault[], faults: ClusterFault[]): void {
  for (const fault of found) faults.push({ path: `loadAssignment.${fault.path}`, message: fault.message });
}

function dnsFamily(family: Cluster_DnsLookupFamily): DnsFamily {
  switch (family) {
    case Cluster_DnsLookupFamily.V4_ONLY:
      return "v4";
    case Cluster_DnsLookupFamily.V6_ONLY:
      return "v6";
    case Cluster_DnsLookupFamily.ALL:
      return "all";
    default:
      return "auto";
  }
}

function compileLimits(message: Cluster, priority: RoutingPriority): CircuitBreakerLimits {
  const thresholds = message.circuitBreakers?.thresholds ?? [];
  const found = thresholds.find((threshold) => threshold.priority === priority);
  if (found === undefined) return DEFAULT_LIMITS;
  const budget = found.retryBudget;
  return {
    maxConnections: found.maxConnections ?? DEFAULT_LIMITS.maxConnections,
    maxPendingRequests: found.maxPendingRequests ?? DEFAULT_LIMITS.maxPendingRequests,
    maxRequests: found.maxRequests ?? DEFAULT_LIMITS.maxRequests,
    maxRetries: found.maxRetries ?? DEFAULT_LIMITS.maxRetries,
    retryBudget: budget
      ? { percent: budget.budgetPercent?.value ?? 20, minimum: budget.minRetryConcurrency ?? 3 }
      : null,
  };
}

function compilePool(message: Cluster, common: CommonOptions | undefined, faults: ClusterFault[]): PoolSettings {
  const source = message.upstreamBindConfig?.sourceAddress;
  if (source !== undefined && source.portSpecifier.case === "portValue" && source.portSpecifier.value !== 0) {
    faults.push({ path: "upstreamBindConfig.sourceAddress.portValue", message: "only port 0 (any) is supported" });
  }
  return {
    connectTimeout: milliseconds(message.connectTimeout) ?? 5 * SECOND,
    idleTimeout: milliseconds(common?.idleTimeout) ?? HOUR,
    maxConnectionDuration: milliseconds(common?.maxConnectionDuration) ?? 0,
    maxRequestsPerConnection: common?.maxRequestsPerConnection ?? message.maxRequestsPerConnection ?? 0,
    localAddress: source?.address ?? null,
    bufferLimit: message.perConnectionBufferLimitBytes ?? null,
  };
}

/** Defaults are Envoy's. */
function compileOutliers(message: OutlierDetection): OutlierDetectionConfig {
  const baseEjectionTime = milliseconds(message.baseEjectionTime) ?? 30 * SECOND;
  return {
    interval: milliseconds(message.interval) ?? 10 * SECOND,
    baseEjectionTime,
    maxEjectionTime: milliseconds(message.maxEjectionTime) ?? Math.max(baseEjectionTime, 300 * SECOND),
    maxEjectionTimeJitter: milliseconds(message.maxEjectionTimeJitter) ?? 0,
    maxEjectionPercent: message.maxEjectionPercent ?? 10,
    alwaysEjectOneHost: message.alwaysEjectOneHost ?? false,
    consecutive5xx: message.consecutive5xx ?? 5,
    enforcingConsecutive5xx: message.enforcingConsecutive5xx ?? 100,
    consecutiveGatewayFailure: message.consecutiveGatewayFailure ?? 5,
    enforcingConsecutiveGatewayFailure: message.enforcingConsecutiveGatewayFailure ?? 0,
    splitExternalLocalOriginErrors: message.splitExternalLocalOriginErrors,
    consecutiveLocalOriginFailure: message.consecutiveLocalOriginFailure ?? 5,
    enforcingConsecutiveLocalOriginFailure: message.enforcingConsecutiveLocalOriginFailure ?? 100,
    successRate: {
      enforcing: message.enforcingSuccessRate ?? 100,
      minimumHosts: message.successRateMinimumHosts ?? 5,
      requestVolume: message.successRateRequestVolume ?? 100,
      limit: message.successRateStdevFactor ?? 1900,
    },
    failurePercentage: {
      enforcing: message.enforcingFailurePercentage ?? 0,
      minimumHosts: message.failurePercentageMinimumHosts ?? 5,
      requestVolume: message.failurePercentageRequestVolume ?? 50,
      limit: message.failurePercentageThreshold ?? 85,
    },
    enforcingLocalOriginSuccessRate: message.enforcingLocalOriginSuccessRate ?? 100,
    enforcingFailurePercentageLocalOrigin: message.enforcingFailurePercentageLocalOrigin ?? 0,
  };
}
