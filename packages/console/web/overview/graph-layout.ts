import { graphlib, layout } from "@dagrejs/dagre";
import type { TrafficEdge, TrafficPage, TrafficWorkload, WorkloadName } from "../../src/api.ts";

export interface PlacedNode {
  readonly key: string;
  readonly name: WorkloadName;
  /** Null for a caller without a proxy. */
  readonly workload: TrafficWorkload | null;
  /** Centre. */
  readonly x: number;
  readonly y: number;
}

export interface PlacedEdge {
  readonly key: string;
  readonly edge: TrafficEdge;
  readonly points: readonly { readonly x: number; readonly y: number }[];
  /** Centre of the label. */
  readonly x: number;
  readonly y: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
}

export const NODE = { width: 188, height: 52 } as const;
const LABEL = { width: 104, height: 36 } as const;
const MARGIN = 16;

export function keyOf({ name, namespace }: WorkloadName): string {
  return `${namespace}/${name}`;
}

export function edgeKeyOf({ source, destination, service }: TrafficEdge): string {
  return `${keyOf(source)} ${keyOf(destination)} ${service}`;
}

/** Callers on the left. The same mesh gets the same picture: everything goes in by name. */
export function layoutOf({ workloads, edges }: Pick<TrafficPage, "workloads" | "edges">): Layout {
  const graph = new graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", nodesep: 28, ranksep: 40, edgesep: 20, marginx: MARGIN, marginy: MARGIN });
  graph.setDefaultEdgeLabel(() => ({}));
  const byKey = new Map(workloads.map((workload) => [keyOf(workload), workload]));
  const names = new Map<string, WorkloadName>(workloads.map((workload) => [keyOf(workload), workload]));
  for (const { source, destination } of edges) for (const end of [source, destination]) names.set(keyOf(end), end);
  const keys = [...names.keys()].sort();
  for (const key of keys) graph.setNode(key, { ...NODE });
  const sorted = edges.toSorted((a, b) => (edgeKeyOf(a) < edgeKeyOf(b) ? -1 : 1));
  for (const edge of sorted)
    graph.setEdge(keyOf(edge.source), keyOf(edge.destination), { ...LABEL, labelpos: "c" }, edgeKeyOf(edge));
  layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  return {
    width,
    height,
    nodes: keys.map((key) => {
      const { x, y } = graph.node(key);
      return { key, name: names.get(key) as WorkloadName, workload: byKey.get(key) ?? null, x, y };
    }),
    edges: sorted.map((edge) => {
      const placed = graph.edge(keyOf(edge.source), keyOf(edge.destination), edgeKeyOf(edge));
      return { key: edgeKeyOf(edge), edge, points: placed.points, x: placed.x ?? 0, y: placed.y ?? 0 };
    }),
  };
}
