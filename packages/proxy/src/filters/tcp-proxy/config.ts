import type { TcpProxy } from "@mixerless/wire/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy";
import { type AccessLogger, compileAccessLoggers } from "../../access-log/access-logger.ts";
import { xxHash64 } from "../../consistent-hash/xx-hash64.ts";
import { milliseconds } from "../../http/routing/duration.ts";
import type { ConfigFault } from "../../network/config-fault.ts";
import type { FilterChainContext } from "../../network/context.ts";
import type { StreamInfo } from "../../stream/stream-info.ts";

/** A compiled TcpProxy. Times are milliseconds; 0: no limit. */
export interface TcpProxyConfig {
  readonly statPrefix: string;
  /** Picks the cluster of a connection; `random` is uniform in [0, 1). */
  readonly chooseCluster: (random: () => number) => string;
  readonly hash: ((info: StreamInfo) => bigint | null) | null;
  readonly idleTimeout: number;
  readonly maxDuration: number;
  readonly maxConnectAttempts: number;
  readonly accessLogs: readonly AccessLogger[];
}

export function compileTcpProxy(message: TcpProxy, context: FilterChainContext, faults: ConfigFault[]): TcpProxyConfig {
  refuseUnsupported(message, faults);
  return {
    statPrefix: message.statPrefix,
    chooseCluster: compileClusters(message, faults),
    hash: compileHash(message),
    idleTimeout: milliseconds(message.idleTimeout) ?? 3_600_000,
    maxDuration: milliseconds(message.maxDownstreamConnectionDuration) ?? 0,
    maxConnectAttempts: message.maxConnectAttempts ?? 1,
    accessLogs: compileAccessLoggers(message.accessLog, context, "accessLog", faults),
  };
}

function compileClusters(message: TcpProxy, faults: ConfigFault[]): (random: () => number) => string {
  const specifier = message.clusterSpecifier;
  if (specifier.case === "cluster") {
    const name = specifier.value;
    return () => name;
  }
  if (specifier.case !== "weightedClusters" || specifier.value.clusters.length === 0) {
    faults.push({ path: "cluster", message: "a cluster or weightedClusters is needed" });
    return () => "";
  }
  const { clusters } = specifier.value;
  for (const [i, cluster] of clusters.entries()) {
    if (cluster.metadataMatch === undefined) continue;
    faults.push({ path: `weightedClusters.clusters[${i}].metadataMatch`, message: "is not supported" });
  }
  const total = clusters.reduce((sum, cluster) => sum + cluster.weight, 0);
  return (random) => {
    let at = random() * total;
    for (const cluster of clusters) {
      at -= cluster.weight;
      if (at < 0) return cluster.name;
    }
    return clusters.at(-1)?.name ?? "";
  };
}

function compileHash(message: TcpProxy): TcpProxyConfig["hash"] {
  const specifier = message.hashPolicy[0]?.policySpecifier;
  switch (specifier?.case) {
    case "sourceIp":
      return (info) => xxHash64(info.downstream.remoteAddress.ip);
    case "filterState": {
      const { key } = specifier.value;
      return (info) => {
        const value = info.filterState.get(key);
        return typeof value === "string" ? xxHash64(value) : null;
      };
    }
    default:
      return null;
  }
}

function refuseUnsupported(message: TcpProxy, faults: ConfigFault[]): void {
  const refuse = (path: string, present: boolean) => {
    if (present) faults.push({ path, message: "is not supported" });
  };
  refuse("tunnelingConfig", message.tunnelingConfig !== undefined);
  refuse("onDemand", message.onDemand !== undefined);
  refuse("metadataMatch", message.metadataMatch !== undefined);
}
