import { describe, expect, it } from "vitest";
import { type Edge, nothing } from "./edges.ts";
import { TrafficWindow } from "./traffic-window.ts";

const ROUND = 5000;

function edge(destination: string, requests: number, buckets: readonly [number, number][] = []): Edge {
  const ends = { source: "a", sourceNamespace: "default", destination, destinationNamespace: "default" };
  return { ...ends, service: destination, reporter: "source", ...nothing(), requests, buckets: new Map(buckets) };
}

function filled(limits: { rounds: number; edges: number }, rounds: readonly (readonly Edge[])[]): TrafficWindow {
  const window = new TrafficWindow(limits);
  for (const [index, growth] of rounds.entries()) window.record((index + 1) * ROUND, ROUND, growth);
  return window;
}

describe("the window of traffic", () => {
  it("sums what came in the asked time, and says how long that was", () => {
    const rounds = [1, 2, 4, 8].map((requests) => [edge("b", requests, [[10, requests]])]);
    const window = filled({ rounds: 100, edges: 10 }, rounds);
    const answer = window.read(2 * ROUND, 2);
    expect(answer.seconds).toBe(10);
    expect(answer.edges[0]?.traffic.requests).toBe(12);
    expect(answer.edges[0]?.traffic.buckets).toEqual(new Map([[10, 12]]));
    expect(answer.edges[0]?.parts.map(({ requests }) => requests)).toEqual([4, 8]);
    expect(answer.parts).toEqual([5, 5]);
    expect(window.read(3_600_000, 1).seconds).toBe(20);
    expect(window.read(3_600_000, 30).parts, "no more parts than rounds").toHaveLength(4);
  });

  it("forgets the oldest round for the newest, and in the end an edge over which nothing came", () => {
    const window = filled({ rounds: 60, edges: 10 }, [[edge("gone", 1)], [edge("b", 2)]]);
    const requests = () => window.read(3_600_000, 1).edges.map(({ traffic }) => traffic.requests);
    let round = 2;
    const more = (until: number) => {
      for (; round < until; round++) window.record((round + 1) * ROUND, ROUND, []);
    };
    more(60);
    expect(requests()).toEqual([1, 2]);
    more(61);
    expect(requests()).toEqual([0, 2]);
    more(62);
    expect(requests()).toEqual([0, 0]);
    more(121);
    expect(requests()).toEqual([]);
    window.record(122 * ROUND, ROUND, [edge("b", 5)]);
    expect(requests()).toEqual([5]);
  });

  it("keeps no more edges than its limit, and says how many it left out", () => {
    const window = filled({ rounds: 60, edges: 2 }, [["b", "c", "d", "e"].map((name) => edge(name, 1))]);
    expect(window.read(ROUND, 1)).toMatchObject({ refused: 2, edges: [{ destination: "b" }, { destination: "c" }] });
  });

  it("takes no room for edges over which nothing comes", () => {
    const window = filled({ rounds: 60, edges: 1 }, [[edge("idle", 0), edge("b", 1)]]);
    expect(window.read(ROUND, 1)).toMatchObject({ refused: 0, edges: [{ destination: "b" }] });
  });

  it("begins an edge anew when its buckets are others", () => {
    const window = filled({ rounds: 60, edges: 2 }, [[edge("b", 1, [[10, 1]])], [edge("b", 1, [[20, 1]])]]);
    expect(window.read(2 * ROUND, 1).edges[0]?.traffic).toMatchObject({ requests: 1, buckets: new Map([[20, 1]]) });
  });
});
