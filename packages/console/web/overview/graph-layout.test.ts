import { describe, expect, it } from "vitest";
import type { TrafficEdge, TrafficWorkload } from "../../src/api.ts";
import { layoutOf, NODE } from "./graph-layout.ts";

const SIGNALS = {
  ...{ requests: 1, rps: 1, success: 1, p50: 1, p90: 1, p99: 1 },
  ...{ bytesIn: 0, bytesOut: 0, tcpConnections: 0, mutualTls: 1, history: [] },
};
const name = (of: string) => ({ name: of, namespace: "default" });
const workload = (of: string): TrafficWorkload => ({ ...name(of), ...SIGNALS, connected: true, gateway: false });
const edge = (from: string, to: string): TrafficEdge => ({
  ...{ source: name(from), destination: name(to), service: to, reporter: "source" },
  ...SIGNALS,
});

describe("the layout of the graph", () => {
  const workloads = ["b", "a", "c", "alone"].map(workload);
  const edges = [edge("a", "b"), edge("b", "c"), edge("a", "c")];

  it("has callers left of whom they call, and no box over another", () => {
    const { nodes } = layoutOf({ workloads, edges });
    const x = (of: string) => nodes.find(({ key }) => key === `default/${of}`)?.x ?? Number.NaN;
    expect(x("a")).toBeLessThan(x("b"));
    expect(x("b")).toBeLessThan(x("c"));
    for (const one of nodes)
      for (const other of nodes)
        if (one !== other)
          expect(Math.abs(one.x - other.x) >= NODE.width || Math.abs(one.y - other.y) >= NODE.height).toBe(true);
  });

  it("is the same for the same mesh, in whatever order it is told", () => {
    const turned = layoutOf({ workloads: workloads.toReversed(), edges: edges.toReversed() });
    expect(turned).toEqual(layoutOf({ workloads, edges }));
  });

  it("has a box for a caller without a proxy, and one for a workload that nobody calls", () => {
    const { nodes } = layoutOf({ workloads, edges: [edge("unknown", "a")] });
    expect(nodes.find(({ key }) => key === "default/unknown")?.workload).toBeNull();
    expect(nodes.map(({ key }) => key)).toContain("default/alone");
  });

  it("draws two services of the same ends apart", () => {
    const both = [edge("a", "b"), { ...edge("a", "b"), service: "b-canary" }];
    const [first, second] = layoutOf({ workloads, edges: both }).edges;
    expect(first?.key).not.toBe(second?.key);
    expect([first?.x, first?.y]).not.toEqual([second?.x, second?.y]);
  });
});
