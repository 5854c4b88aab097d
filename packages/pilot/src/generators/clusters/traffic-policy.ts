import { create } from "@bufbuild/protobuf";
import { CircuitBreakersSchema } from "@mixerless/wire/envoy/config/cluster/v3/circuit_breaker";
import { type Cluster, Cluster_LbPolicy, ClusterSchema } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import { OutlierDetectionSchema } from "@mixerless/wire/envoy/config/cluster/v3/outlier_detection";
import type {
  ConnectionPoolSettings,
  LoadBalancerSettings,
  OutlierDetection,
  RetryBudget,
  Warmup,
} from "../../config/kinds/destination-rule.ts";
import type { ClusterPolicy } from "../../model/destination-rule.ts";
import { duration } from "../proto.ts";
import { applyProtocolOptions, type UpstreamProtocol } from "./protocol-options.ts";

const NO_LIMIT = 0xffff_ffff;

/** Puts balancing, pools, limits and outlier detection of a policy into a cluster. */
export function applyPolicy(
  cluster: Cluster,
  policy: ClusterPolicy,
  upstream: UpstreamProtocol,
  localityWeighted = false,
): void {
  const { tcp } = policy.connectionPool ?? {};
  cluster.connectTimeout = duration(tcp?.connectTimeout ?? upstream.mesh.connectTimeout);
  cluster.circuitBreakers = circuitBreakers(policy.connectionPool, policy.retryBudget);
  applyProtocolOptions(cluster, policy.connectionPool, upstream);
  applyLoadBalancer(cluster, policy.loadBalancer);
  // Without a setting nothing is ever in panic: an empty cluster shall answer "no healthy upstream".
  cluster.commonLbConfig = create(ClusterSchema, {
    commonLbConfig: {
      healthyPanicThreshold: { value: policy.outlierDetection?.minHealthPercent ?? 0 },
      ...(localityWeighted
        ? { localityConfigSpecifier: { case: "localityWeightedLbConfig" as const, value: {} } }
        : {}),
    },
  }).commonLbConfig as NonNullable<Cluster["commonLbConfig"]>;
  if (policy.outlierDetection !== undefined) cluster.outlierDetection = outlierDetection(policy.outlierDetection);
}

function circuitBreakers(pool: ConnectionPoolSettings | undefined, budget: RetryBudget | undefined) {
  const { tcp, http } = pool ?? {};
  return create(CircuitBreakersSchema, {
    thresholds: [
      {
        maxConnections: tcp?.maxConnections ?? NO_LIMIT,
        maxPendingRequests: http?.http1MaxPendingRequests ?? NO_LIMIT,
        maxRequests: http?.http2MaxRequests ?? NO_LIMIT,
        maxRetries: http?.maxRetries ?? NO_LIMIT,
        trackRemaining: true,
        ...(budget === undefined
          ? {}
          : {
              retryBudget: {
                budgetPercent: { value: budget.percent ?? 20 },
                minRetryConcurrency: budget.minRetryConcurrency ?? 3,
              },
            }),
      },
    ],
  });
}

function applyLoadBalancer(cluster: Cluster, settings: LoadBalancerSettings | undefined): void {
  const hash = settings?.consistentHash;
  if (hash?.algorithm === "ring-hash") {
    cluster.lbPolicy = Cluster_LbPolicy.RING_HASH;
    const ring = hash.minimumRingSize === undefined ? {} : { minimumRingSize: BigInt(hash.minimumRingSize) };
    cluster.lbConfig = create(ClusterSchema, { lbConfig: { case: "ringHashLbConfig", value: ring } }).lbConfig;
    return;
  }
  if (hash?.algorithm === "maglev") {
    cluster.lbPolicy = Cluster_LbPolicy.MAGLEV;
    const table = hash.tableSize === undefined ? {} : { tableSize: BigInt(hash.tableSize) };
    cluster.lbConfig = create(ClusterSchema, { lbConfig: { case: "maglevLbConfig", value: table } }).lbConfig;
    return;
  }
  switch (settings?.simple) {
    case "ROUND_ROBIN":
      cluster.lbPolicy = Cluster_LbPolicy.ROUND_ROBIN;
      applyWarmup(cluster, "roundRobinLbConfig", settings.warmup);
      return;
    case "RANDOM":
      cluster.lbPolicy = Cluster_LbPolicy.RANDOM;
      return;
    default:
      cluster.lbPolicy = Cluster_LbPolicy.LEAST_REQUEST;
      applyWarmup(cluster, "leastRequestLbConfig", settings?.warmup);
  }
}

/** A new endpoint's share grows over a while. Random and hashing policies know nothing of it. */
function applyWarmup(
  cluster: Cluster,
  field: "roundRobinLbConfig" | "leastRequestLbConfig",
  warmup: Warmup | undefined,
): void {
  if (warmup === undefined) return;
  const slowStartConfig = {
    slowStartWindow: duration(warmup.duration),
    minWeightPercent: { value: warmup.minimumPercent ?? 10 },
    ...(warmup.aggression === undefined
      ? {}
      : { aggression: { defaultValue: warmup.aggression, runtimeKey: "upstream.slow_start_aggression" } }),
  };
  cluster.lbConfig = create(ClusterSchema, { lbConfig: { case: field, value: { slowStartConfig } } }).lbConfig;
}

function outlierDetection(outlier: OutlierDetection) {
  return create(OutlierDetectionSchema, {
    enforcingSuccessRate: 0,
    ...detector(outlier.consecutive5xxErrors, "consecutive5xx", "enforcingConsecutive5xx"),
    ...detector(outlier.consecutiveGatewayErrors, "consecutiveGatewayFailure", "enforcingConsecutiveGatewayFailure"),
    splitExternalLocalOriginErrors: outlier.splitExternalLocalOriginErrors,
    ...detector(
      outlier.consecutiveLocalOriginFailures,
      "consecutiveLocalOriginFailure",
      "enforcingConsecutiveLocalOriginFailure",
    ),
    ...(outlier.interval === undefined ? {} : { interval: duration(outlier.interval) }),
    ...(outlier.baseEjectionTime === undefined ? {} : { baseEjectionTime: duration(outlier.baseEjectionTime) }),
    ...(outlier.maxEjectionPercent === undefined ? {} : { maxEjectionPercent: outlier.maxEjectionPercent }),
  });
}

/** A number of errors switches its detector on, 0 off; absent leaves Envoy's default. */
function detector<T extends string, E extends string>(
  errors: number | undefined,
  threshold: T,
  enforcing: E,
): Partial<Record<T | E, number>> {
  if (errors === undefined) return {};
  const values: Partial<Record<string, number>> = { [enforcing]: errors > 0 ? 100 : 0 };
  if (errors > 0) values[threshold] = errors;
  return values as Partial<Record<T | E, number>>;
}
