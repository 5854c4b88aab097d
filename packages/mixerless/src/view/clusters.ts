import { configName } from "./config-dump.ts";
import { textAt } from "./json.ts";

export const CLUSTER_HEADER = ["SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE", "DESTINATION RULE"];

export interface ClusterFilter {
  readonly fqdn?: string;
  readonly port?: number;
  readonly subset?: string;
  readonly direction?: string;
}

interface ClusterParts {
  readonly direction: string;
  readonly port: string;
  readonly subset: string;
  readonly fqdn: string;
}

/** `direction|port|subset|fqdn`; any other name stands for itself. */
export function clusterParts(name: string): ClusterParts {
  const parts = name.split("|");
  const [direction = "", port = "", subset = "", fqdn = ""] = parts;
  return parts.length === 4
    ? { direction, port, subset, fqdn }
    : { direction: "-", port: "-", subset: "-", fqdn: name };
}

export function filterClusters(clusters: readonly unknown[], filter: ClusterFilter): unknown[] {
  return clusters.filter((cluster) => {
    const { direction, port, subset, fqdn } = clusterParts(textAt(cluster, "name"));
    return (
      (filter.fqdn === undefined || fqdn.includes(filter.fqdn)) &&
      (filter.port === undefined || port === String(filter.port)) &&
      (filter.subset === undefined || subset === filter.subset) &&
      (filter.direction === undefined || direction === filter.direction)
    );
  });
}

/** By name, port and subset. */
export function clusterRows(clusters: readonly unknown[]): string[][] {
  return clusters
    .map((cluster) => ({ cluster, parts: clusterParts(textAt(cluster, "name")) }))
    .sort(
      ({ parts: a }, { parts: b }) =>
        compare(a.fqdn, b.fqdn) || Number(a.port) - Number(b.port) || compare(a.subset, b.subset),
    )
    .map(({ cluster, parts: { fqdn, port, subset, direction } }) => [
      fqdn,
      port,
      subset === "" ? "-" : subset,
      direction,
      textAt(cluster, "type") || textAt(cluster, "cluster_type", "name") || "STATIC",
      configName(cluster),
    ]);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
