import type { ListenerState } from "../listener/listener-manager.ts";
import type { UpstreamCluster } from "../upstream/upstream-cluster.ts";

/** One of the proxy's own numbers, which are kept as plain fields and named only when somebody looks. */
export interface OwnStat {
  readonly scope: StatScope;
  /** Name of the cluster, address of the listener; empty: of the process. */
  readonly owner: string;
  readonly stat: string;
  readonly kind: "counter" | "gauge";
  readonly value: number;
}

export type StatScope = "cluster" | "listener" | "cluster_manager" | "listener_manager" | "server";

/** What the proxy as a whole says of itself. */
export interface ProcessStats {
  readonly uptimeSeconds: number;
  readonly state: "PRE_INITIALIZING" | "LIVE" | "DRAINING";
  /** Processes that serve. */
  readonly concurrency: number;
  readonly warmingClusters: number;
  /** Name of the cluster that stands for the control plane, and whether the stream to it is open. */
  readonly controlPlane: { readonly cluster: string; readonly connected: boolean } | null;
}

const CLUSTER_GAUGES: ReadonlySet<string> = new Set([
  ...["upstream_cx_active", "upstream_rq_active", "upstream_rq_pending_active"],
  ...["membership_healthy", "membership_total"],
]);

/** As Envoy writes the address of a listener in a name: dots stay, colons would divide. */
export function listenerOwner(address: string): string {
  return address.replaceAll(":", "_");
}

/** The dotted name that `/stats` shows and that matchers see. */
export function dottedName({ scope, owner, stat }: OwnStat): string {
  return owner === "" ? `${scope}.${stat}` : `${scope}.${owner}.${stat}`;
}

export function* clusterStats(clusters: readonly UpstreamCluster[], process: ProcessStats | null): Generator<OwnStat> {
  const stream = process?.controlPlane ?? null;
  for (const cluster of [...clusters].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const owner = cluster.config.statName;
    const of = (stat: string, value: number): OwnStat => {
      return { scope: "cluster", owner, stat, value, kind: CLUSTER_GAUGES.has(stat) ? "gauge" : "counter" };
    };
    // The stream to the control plane is not one of the cluster's connections here, but it is the one that it is for.
    const carries = stream?.cluster === cluster.name && stream.connected ? 1 : 0;
    for (const [stat, value] of Object.entries(cluster.stats) as [string, number][])
      yield of(stat, stat === "upstream_cx_active" ? value + carries : value);
    const hosts = [...cluster.hosts.hosts];
    yield of("membership_healthy", hosts.filter((host) => host.serving && !host.ejected).length);
    yield of("membership_total", hosts.length);
  }
}

export function* listenerStats(listeners: readonly ListenerState[]): Generator<OwnStat> {
  for (const { address, stats } of [...listeners].sort((a, b) => (a.address < b.address ? -1 : 1))) {
    const owner = listenerOwner(address);
    const of = (stat: string, kind: OwnStat["kind"], value: number): OwnStat => {
      return { scope: "listener", owner, stat, kind, value };
    };
    yield of("downstream_cx_active", "gauge", stats.downstreamCxActive);
    yield of("downstream_cx_total", "counter", stats.downstreamCxTotal);
    yield of("no_filter_chain_match", "counter", stats.noFilterChainMatch);
    yield of("downstream_pre_cx_active", "gauge", stats.preCxActive);
    yield of("downstream_pre_cx_timeout", "counter", stats.preCxTimeout);
    yield of("downstream_pre_cx_overflow", "counter", stats.preCxOverflow);
  }
}

/** Envoy's numbers for `server.state`. */
const STATES = { LIVE: 0, DRAINING: 1, PRE_INITIALIZING: 2 } as const;

export function* processStats(
  process: ProcessStats,
  clusters: readonly UpstreamCluster[],
  listeners: readonly ListenerState[],
): Generator<OwnStat> {
  const of = (scope: StatScope, stat: string, value: number): OwnStat => {
    return { scope, owner: "", stat, kind: "gauge", value };
  };
  yield of("cluster_manager", "active_clusters", clusters.length);
  yield of("cluster_manager", "warming_clusters", process.warmingClusters);
  const having = (...statuses: ListenerState["status"][]) =>
    listeners.filter(({ status }) => statuses.includes(status)).length;
  yield of("listener_manager", "total_listeners_active", having("active"));
  yield of("listener_manager", "total_listeners_warming", having("warming", "binding"));
  yield of("server", "concurrency", process.concurrency);
  yield of("server", "live", process.state === "LIVE" ? 1 : 0);
  yield of("server", "state", STATES[process.state]);
  yield of("server", "uptime", process.uptimeSeconds);
}
