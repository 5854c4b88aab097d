import { addTraffic, type EdgeEnds, nothing, type Traffic } from "@mixerless/store";
import type { Observation } from "../mesh/observe.ts";
import type { ProxyPlace } from "../mesh/proxies.ts";
import { GOLDEN_HEADER, type Golden, golden, goldenCells } from "./golden.ts";

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
  return connectedWorkloads(proxies)
    .filter((workload) => namespace === undefined || workload.namespace === namespace)
    .map((workload) => {
      const traffic: Traffic = nothing();
      for (const edge of edges) if (concerns(edge, workload)) addTraffic(traffic, edge);
      return { name: workload.name, namespace: workload.namespace, ...golden(traffic, seconds) };
    });
}

/** A workload with at least one connected proxy. */
export interface ConnectedWorkload {
  readonly name: string;
  readonly namespace: string;
  readonly gateway: boolean;
}

/** Each once, by namespace and name. */
export function connectedWorkloads(proxies: readonly ProxyPlace[]): ConnectedWorkload[] {
  const found = new Map<string, ConnectedWorkload>();
  for (const { workload, name: pod, namespace, type } of proxies) {
    const name = workload || pod;
    found.set(`${namespace}/${name}`, { name, namespace, gateway: type === "router" });
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, workload]) => workload);
}

/** Whether an edge counts as what a workload received; as what it passed on for a gateway, which nobody reports on. */
export function concerns(edge: EdgeEnds, { name, namespace, gateway }: ConnectedWorkload): boolean {
  if (gateway) return edge.reporter === "source" && edge.source === name && edge.sourceNamespace === namespace;
  return edge.reporter === "destination" && edge.destination === name && edge.destinationNamespace === namespace;
}
