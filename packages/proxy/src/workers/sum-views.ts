/** Of a host in `/clusters`, what adds up over workers; the rest is configuration or one worker's view. */
const HOST_COUNTERS: ReadonlySet<string> = new Set([
  ...["cx_active", "cx_connect_fail", "cx_total", "rq_active", "rq_error", "rq_success", "rq_timeout", "rq_total"],
]);

/** `/clusters` of the first worker, with the counters of hosts summed over all. */
export function sumClustersText([first = "", ...others]: readonly string[]): string {
  const more = new Map<string, number>();
  for (const text of others)
    for (const line of text.split("\n")) {
      const [key, value] = counterOf(line);
      if (key !== null) more.set(key, (more.get(key) ?? 0) + value);
    }
  return first
    .split("\n")
    .map((line) => {
      const [key, value] = counterOf(line);
      return key === null ? line : `${key}::${value + (more.get(key) ?? 0)}`;
    })
    .join("\n");
}

function counterOf(line: string): [key: string | null, value: number] {
  const at = line.lastIndexOf("::");
  const key = line.slice(0, Math.max(at, 0));
  return HOST_COUNTERS.has(key.slice(key.lastIndexOf("::") + 2)) ? [key, Number(line.slice(at + 2))] : [null, 0];
}

interface HostStatus {
  readonly address: unknown;
  readonly stats: { readonly name: string; value: string }[];
}

interface Clusters {
  readonly cluster_statuses: { readonly name: string; readonly host_statuses: readonly HostStatus[] }[];
}

/** `/clusters?format=json` of the first worker, with the counters of hosts summed over all. */
export function sumClustersJson([first = "{}", ...others]: readonly string[]): string {
  const all = JSON.parse(first) as Clusters;
  const more = new Map<string, number>();
  const key = (cluster: string, host: HostStatus, stat: string) => JSON.stringify([cluster, host.address, stat]);
  for (const text of others) {
    eachStat(JSON.parse(text) as Clusters, (cluster, host, stat) => {
      const at = key(cluster, host, stat.name);
      more.set(at, (more.get(at) ?? 0) + Number(stat.value));
    });
  }
  eachStat(all, (cluster, host, stat) => {
    stat.value = String(Number(stat.value) + (more.get(key(cluster, host, stat.name)) ?? 0));
  });
  return `${JSON.stringify(all, null, 1)}\n`;
}

function eachStat(
  { cluster_statuses }: Clusters,
  act: (cluster: string, host: HostStatus, stat: { name: string; value: string }) => void,
): void {
  for (const { name, host_statuses } of cluster_statuses)
    for (const host of host_statuses) for (const stat of host.stats) act(name, host, stat);
}

interface Listeners {
  readonly listener_statuses: { readonly name: string; connections: number }[];
}

/** `/listeners?format=json` of the first worker, with the connections of all. */
export function sumListenersJson([first = "{}", ...others]: readonly string[]): string {
  const all = JSON.parse(first) as Listeners;
  for (const text of others)
    for (const { name, connections } of (JSON.parse(text) as Listeners).listener_statuses) {
      const same = all.listener_statuses.find((listener) => listener.name === name);
      if (same !== undefined) same.connections += connections;
    }
  return `${JSON.stringify(all, null, 1)}\n`;
}

/** `/memory` of all processes, summed. */
export function sumMemory(texts: readonly string[]): string {
  const sums: Record<string, string> = {};
  for (const text of texts)
    for (const [name, value] of Object.entries(JSON.parse(text) as Record<string, string>))
      sums[name] = String(Number(sums[name] ?? 0) + Number(value));
  return `${JSON.stringify(sums, null, 1)}\n`;
}
