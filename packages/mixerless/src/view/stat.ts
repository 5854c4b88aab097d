import type { Observation } from "../mesh/observe.ts";
import { GOLDEN_HEADER, type Golden, golden, goldenCells } from "./golden.ts";
import { addTraffic, type Edge, nothing, type Traffic } from "./traffic.ts";

export interface WorkloadStat extends Golden {
  readonly name: string;
  readonly namespace: string;
}

export const STAT_HEADER = ["NAME", "NAMESPACE", ...GOLDEN_HEADER];

export function statCells(stat: WorkloadStat): string[] {
  return [stat.name, stat.namespace, ...goldenCells(stat)];
}

/** One line for each connected workload, also for those without traffic. */
export function workloadStats({ proxies, edges, seconds }: Observation, namespace?: string): WorkloadStat[] {
  const sums = new Map<string, { name: string; namespace: string; traffic: Traffic }>();
  for (const place of proxies) {
    if (namespace !== undefined && place.namespace !== namespace) continue;
    const name = place.workload || place.name;
    const key = `${place.namespace}/${name}`;
    const sum = sums.get(key) ?? { name, namespace: place.namespace, traffic: nothing() };
    if (!sums.has(key)) {
      sums.set(key, sum);
      for (const edge of edges) if (concerns(edge, name, place.namespace, place.type)) addTraffic(sum.traffic, edge);
    }
  }
  return [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { name, namespace: of, traffic }]) => ({ name, namespace: of, ...golden(traffic, seconds) }));
}

function concerns(edge: Edge, name: string, namespace: string, type: string): boolean {
  if (type === "router")
    return edge.reporter === "source" && edge.source === name && edge.sourceNamespace === namespace;
  return edge.reporter === "destination" && edge.destination === name && edge.destinationNamespace === namespace;
}
