import { isPipe } from "../transport/socket-address.ts";
import type { CircuitBreaker } from "../upstream/circuit-breaker.ts";
import type { UpstreamCluster } from "../upstream/upstream-cluster.ts";
import type { UpstreamHost } from "../upstream/upstream-host.ts";

/** Whether a cluster came from the control plane. */
type IsDynamic = (name: string) => boolean;

/** Envoy's `/clusters` text: a fact a line, parts joined by `::`. */
export function renderClustersText(clusters: readonly UpstreamCluster[], isDynamic: IsDynamic): string {
  const lines: string[] = [];
  for (const cluster of sorted(clusters)) {
    const { name, config } = cluster;
    const put = (...parts: (string | number | boolean)[]) => lines.push([name, ...parts].join("::"));
    put("observability_name", config.statName);
    for (const [priority, limits] of limitsOf(cluster)) {
      for (const [fact, value] of Object.entries(limits)) put(`${priority.toLowerCase()}_priority`, fact, value);
    }
    put("added_via_api", isDynamic(name));
    for (const host of cluster.hosts.hosts) {
      for (const [fact, value] of hostFacts(host)) put(host.address.text, fact, value);
    }
  }
  return `${lines.join("\n")}\n`;
}

/** Envoy's `/clusters?format=json`: `envoy.admin.v3.Clusters`. */
export function renderClustersJson(clusters: readonly UpstreamCluster[], isDynamic: IsDynamic): string {
  const statuses = sorted(clusters).map((cluster) => ({
    name: cluster.name,
    added_via_api: isDynamic(cluster.name),
    observability_name: cluster.config.statName,
    circuit_breakers: {
      thresholds: limitsOf(cluster).map(([priority, limits]) => ({ priority, ...limits })),
    },
    host_statuses: [...cluster.hosts.hosts].map((host) => ({
      address: isPipe(host.address)
        ? { pipe: { path: host.address.ip } }
        : { socket_address: { address: host.address.ip, port_value: host.address.port } },
      stats: hostCounters(host).map(([name, value, type]) => ({ name, value: String(value), type })),
      health_status: {
        eds_health_status: host.serving ? "HEALTHY" : "UNHEALTHY",
        ...(host.ejected ? { failed_outlier_check: true } : {}),
      },
      weight: host.weight,
      hostname: host.hostname,
      priority: host.priority,
      locality: { region: host.locality.region, zone: host.locality.zone, sub_zone: host.locality.subZone },
    })),
  }));
  return `${JSON.stringify({ cluster_statuses: statuses }, null, 1)}\n`;
}

function limitsOf({ breaker, highPriorityBreaker }: UpstreamCluster): [string, Record<string, number>][] {
  const shown = ({ limits }: CircuitBreaker) => ({
    max_connections: limits.maxConnections,
    max_pending_requests: limits.maxPendingRequests,
    max_requests: limits.maxRequests,
    max_retries: limits.maxRetries,
  });
  return [
    ["DEFAULT", shown(breaker)],
    ["HIGH", shown(highPriorityBreaker)],
  ];
}

function sorted(clusters: readonly UpstreamCluster[]): UpstreamCluster[] {
  return [...clusters].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function hostFacts(host: UpstreamHost): [string, string | number | boolean][] {
  return [
    ...hostCounters(host).map(([name, value]): [string, number] => [name, value]),
    ["hostname", host.hostname],
    ["health_flags", healthFlags(host)],
    ["weight", host.weight],
    ["region", host.locality.region],
    ["zone", host.locality.zone],
    ["sub_zone", host.locality.subZone],
    ["canary", false],
    ["priority", host.priority],
    // As Envoy prints where too few requests were made for a rate; this proxy does not eject by rate.
    ["success_rate", -1],
    ["local_origin_success_rate", -1],
  ];
}

function hostCounters(host: UpstreamHost): [name: string, value: number, type: "COUNTER" | "GAUGE"][] {
  const { totals } = host;
  return [
    ["cx_active", totals.activeConnections, "GAUGE"],
    ["cx_connect_fail", totals.connectFailures, "COUNTER"],
    ["cx_total", totals.connections, "COUNTER"],
    ["rq_active", host.activeRequests, "GAUGE"],
    ["rq_error", totals.errors, "COUNTER"],
    ["rq_success", totals.successes, "COUNTER"],
    ["rq_timeout", totals.timeouts, "COUNTER"],
    ["rq_total", totals.requests, "COUNTER"],
  ];
}

function healthFlags(host: UpstreamHost): string {
  const flags: string[] = [];
  if (host.ejected) flags.push("/failed_outlier_check");
  if (!host.serving) flags.push("/failed_eds_health");
  return flags.length === 0 ? "healthy" : flags.join("");
}
