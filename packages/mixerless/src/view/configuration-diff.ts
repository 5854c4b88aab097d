import { isDeepStrictEqual } from "node:util";
import type { ConfigDump } from "./config-dump.ts";
import { listAt, textAt } from "./json.ts";

export interface KindComparison {
  readonly kind: string;
  /** `- path: value` for the control plane's, `+ path: value` for the proxy's. */
  readonly differences: readonly string[];
}

/** What the control plane would send (`/debug/config_dump`) against what a proxy has. */
export function compareConfiguration(sent: unknown, own: ConfigDump): KindComparison[] {
  const dynamic = (section: string, list: string, ...path: string[]) =>
    listAt(own.section(section), list).map((entry) => path.reduce<unknown>((here, key) => listless(here, key), entry));
  return [
    compare(
      "Clusters",
      "name",
      sentOf(sent, "Cluster"),
      dynamic("ClustersConfigDump", "dynamic_active_clusters", "cluster"),
    ),
    compare(
      "Listeners",
      "name",
      sentOf(sent, "Listener"),
      dynamic("ListenersConfigDump", "dynamic_listeners", "active_state", "listener"),
    ),
    compare(
      "Endpoints",
      "cluster_name",
      sentOf(sent, "ClusterLoadAssignment"),
      dynamic("EndpointsConfigDump", "dynamic_endpoint_configs", "endpoint_config"),
    ),
    compare(
      "Routes",
      "name",
      sentOf(sent, "RouteConfiguration"),
      dynamic("RoutesConfigDump", "dynamic_route_configs", "route_config"),
    ),
  ];
}

function listless(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function sentOf(sent: unknown, type: string): unknown[] {
  const config = listAt(sent, "configs").find((entry) => textAt(entry, "typeUrl").endsWith(`.${type}`));
  return listAt(config, "resources").map((entry) => listless(entry, "resource"));
}

function compare(kind: string, key: string, sent: readonly unknown[], own: readonly unknown[]): KindComparison {
  const byName = (list: readonly unknown[]) =>
    new Map(list.filter((entry) => textAt(entry, key) !== "").map((entry) => [textAt(entry, key), entry]));
  const [left, right] = [byName(sent), byName(own)];
  const differences: string[] = [];
  for (const name of [...new Set([...left.keys(), ...right.keys()])].sort()) {
    if (!right.has(name)) differences.push(`- ${name}`);
    else if (!left.has(name)) differences.push(`+ ${name}`);
    else differences.push(...walk(name, left.get(name), right.get(name)));
  }
  return { kind, differences };
}

/** The smallest parts that differ. */
function walk(path: string, left: unknown, right: unknown): string[] {
  if (isDeepStrictEqual(left, right)) return [];
  const [a, b] = [asObject(left), asObject(right)];
  if (a === null || b === null) {
    return [
      ...(left === undefined ? [] : [`- ${path}: ${JSON.stringify(left)}`]),
      ...(right === undefined ? [] : [`+ ${path}: ${JSON.stringify(right)}`]),
    ];
  }
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  // The proxy's dump names the type of each resource; the control plane's lists are by type.
  const same = keys.filter((key) => key !== "@type" || (key in a && key in b));
  return same.flatMap((key) => walk(`${path}.${key}`, a[key], b[key]));
}

function asObject(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
}
