import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { byEdge } from "./edge-counts.ts";
import { Load } from "./load.ts";
import { RunningDemo } from "./running-demo.ts";

const METRIC = "istio_requests_total";
const GATEWAY = "istio-ingressgateway productpage-v1";
const DETAILS = "productpage-v1 details-v1";
const REVIEWS = "productpage-v1 reviews-v2";
const RATINGS = "reviews-v2 ratings-v1";

type Edges = Readonly<Record<string, number>>;

/** Requests of an edge that a reporter has counted, whatever came of them. */
function ofEdge(edges: Edges, reporter: string, edge: string): number {
  const counts = Object.entries(edges).filter(([key]) => key.startsWith(`${reporter} ${edge} `));
  return counts.reduce((sum, [, count]) => sum + count, 0);
}

describe("parts killed one after another under load", () => {
  let demo: RunningDemo;
  let load: Load;
  let before: Edges;

  beforeAll(async () => {
    demo = await RunningDemo.start("--no-traffic", "--reviews", "v2");
    before = byEdge(await demo.series(METRIC));
    load = new Load(`${demo.summary.ingress}/productpage`);
    await load.more(50);
  }, 60_000);

  afterAll(async () => {
    await load?.stop();
    await demo?.stop();
  }, 20_000);

  const grown = (edges: Edges, reporter: string, edge: string) =>
    ofEdge(edges, reporter, edge) - ofEdge(before, reporter, edge);

  async function served(edge: string): Promise<number> {
    return byEdge(await demo.series(METRIC))[`source ${edge} 200 -`] ?? 0;
  }

  /** Ends a process, and waits until it is back and serves what it served. */
  async function kill(name: string, pid: number, edge: string): Promise<void> {
    const gone = demo.says(`${name} was ended by SIGKILL`);
    const back = demo.says(`${name} is back`);
    process.kill(pid, "SIGKILL");
    await gone;
    await load.more(20);
    await back;
    const now = await served(edge);
    while ((await served(edge)) === now) await load.more(1);
  }

  it("recovers from each", async () => {
    await kill("app details-v1", demo.workload("details-v1").appPid ?? 0, DETAILS);
    await kill("pilot", demo.summary.pilotPid, DETAILS);
    await kill("sidecar details-v1", demo.workload("details-v1").pid, DETAILS);
    await load.more(50);
  }, 60_000);

  it("shows every page: what is missing is an error in it", async () => {
    await load.stop();
    expect(Object.fromEntries(load.answers)).toEqual({ 200: load.total });
  }, 20_000);

  it("has counted exactly wherever nothing was killed", async () => {
    const views = load.total;
    let edges = byEdge(await demo.series(METRIC));
    // The last hop reports when its stream ends, a moment after the client has its answer.
    while (grown(edges, "destination", RATINGS) < views) edges = byEdge(await demo.series(METRIC));
    for (const edge of [GATEWAY, REVIEWS, RATINGS]) {
      for (const reporter of ["source", "destination"]) {
        expect([reporter, edge, grown(edges, reporter, edge)]).toEqual([reporter, edge, views]);
        expect(edges[`${reporter} ${edge} 200 -`]).toBe(ofEdge(edges, reporter, edge));
      }
    }
    // The source of the killed part has counted each request once, however it ended.
    expect(grown(edges, "source", DETAILS)).toBe(views);
  }, 20_000);
});
