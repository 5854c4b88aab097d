import {
  type Cluster,
  Cluster_LbPolicy,
  type Cluster_MaglevLbConfig,
  type Cluster_RingHashLbConfig,
  type Cluster_SlowStartConfig,
} from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import { milliseconds } from "../http/routing/duration.ts";
import type { LoadBalancerPolicy, SlowStartConfig } from "./cluster-config.ts";
import type { ClusterFault } from "./compile-cluster.ts";

/** Envoy's default, and the largest table that it takes. */
const TABLE_SIZE = 65_537n;
const MAXIMUM_TABLE_SIZE = 5_000_011;

/** The load balancing policy of a cluster, with what its own configuration message says. */
export function compilePolicy(message: Cluster, faults: ClusterFault[]): LoadBalancerPolicy | null {
  const { lbConfig } = message;
  switch (message.lbPolicy) {
    case Cluster_LbPolicy.ROUND_ROBIN: {
      const config = lbConfig.case === "roundRobinLbConfig" ? lbConfig.value : undefined;
      return { kind: "round-robin", slowStart: compileSlowStart(config?.slowStartConfig) };
    }
    case Cluster_LbPolicy.RANDOM:
      return { kind: "random" };
    case Cluster_LbPolicy.LEAST_REQUEST: {
      const config = lbConfig.case === "leastRequestLbConfig" ? lbConfig.value : undefined;
      return {
        kind: "least-request",
        choices: config?.choiceCount ?? 2,
        activeRequestBias: config?.activeRequestBias?.defaultValue ?? 1,
        slowStart: compileSlowStart(config?.slowStartConfig),
      };
    }
    case Cluster_LbPolicy.RING_HASH:
      return compileRing(lbConfig.case === "ringHashLbConfig" ? lbConfig.value : undefined, faults);
    case Cluster_LbPolicy.MAGLEV:
      return compileMaglev(lbConfig.case === "maglevLbConfig" ? lbConfig.value : undefined, faults);
    default:
      faults.push({
        path: "lbPolicy",
        message: `${Cluster_LbPolicy[message.lbPolicy] ?? message.lbPolicy} is not supported`,
      });
      return null;
  }
}

function compileRing(config: Cluster_RingHashLbConfig | undefined, faults: ClusterFault[]): LoadBalancerPolicy {
  const minimumSize = Number(config?.minimumRingSize ?? 1024n);
  const maximumSize = Number(config?.maximumRingSize ?? 8_388_608n);
  if (minimumSize > maximumSize) {
    faults.push({
      path: "ringHashLbConfig.minimumRingSize",
      message: `${minimumSize} is above maximumRingSize, ${maximumSize}`,
    });
  }
  return { kind: "ring-hash", minimumSize, maximumSize };
}

function compileMaglev(config: Cluster_MaglevLbConfig | undefined, faults: ClusterFault[]): LoadBalancerPolicy {
  const tableSize = Number(config?.tableSize ?? TABLE_SIZE);
  if (tableSize > MAXIMUM_TABLE_SIZE || !isPrime(tableSize)) {
    faults.push({
      path: "maglevLbConfig.tableSize",
      message: `${tableSize} must be a prime number up to ${MAXIMUM_TABLE_SIZE}, such as ${TABLE_SIZE}`,
    });
  }
  return { kind: "maglev", tableSize };
}

function isPrime(value: number): boolean {
  if (value < 2) return false;
  for (let divisor = 2; divisor * divisor <= value; divisor++) if (value % divisor === 0) return false;
  return true;
}

/** Without a window hosts have their full share at once. */
function compileSlowStart(config: Cluster_SlowStartConfig | undefined): SlowStartConfig | null {
  const window = milliseconds(config?.slowStartWindow) ?? 0;
  if (config === undefined || window === 0) return null;
  const aggression = config.aggression?.defaultValue ?? 1;
  return {
    window,
    // Envoy takes what is not above 0 for 1.
    aggression: aggression > 0 ? aggression : 1,
    minimum: (config.minWeightPercent?.value ?? 10) / 100,
  };
}
