import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { byEdge } from "./edge-counts.ts";
import { Load } from "./load.ts";
import { RunningDemo } from "./running-demo.ts";

const METRIC = "istio_requests_total";

function reviewsRoute(weights: Readonly<Record<string, number>>): string {
  const routes = Object.entries(weights).map(
    ([subset, weight]) => `        - destination: { host: reviews, subset: ${subset} }\n          weight: ${weight}`,
  );
  return `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: default }
spec:
  hosts: [reviews]
  http:
    - route:
${routes.join("\n")}
`;
}

/** Requests that the destination's own proxy counted. */
async function served(demo: RunningDemo, workload: string): Promise<number> {
  const series = await demo.series(METRIC);
  return byEdge(series)[`destination productpage-v1 ${workload} 200 -`] ?? 0;
}

describe("configuration that changes under load", () => {
  let demo: RunningDemo;

  beforeAll(async () => {
    demo = await RunningDemo.start("--no-traffic", "--reviews", "v1");
  }, 60_000);

  afterAll(async () => {
    await demo?.stop();
  }, 20_000);

  /** Views under way while `change` happens; the edges that grew, once all is counted, and the ledger. */
  async function underLoad(change: (load: Load) => Promise<void>) {
    const before = await demo.series(METRIC);
    const load = new Load(`${demo.summary.ingress}/productpage`);
    await load.more(50);
    await change(load);
    await load.stop();
    const views = load.total;
    expect(Object.fromEntries(load.answers)).toEqual({ 200: views });
    for (;;) {
      const after = await demo.series(METRIC);
      const grown = new Map([...after].map(([labels, value]) => [labels, value - (before.get(labels) ?? 0)] as const));
      const edges = byEdge(new Map([...grown].filter(([, by]) => by !== 0)));
      // The last hop reports when its stream ends, a moment after the client has its answer.
      if (reviewsOf(edges, "destination") >= views && edges[RATINGS] === edges[RATINGS_AT_SOURCE])
        return { edges, views };
    }
  }

  const RATINGS = "destination reviews-v3 ratings-v1 200 -";
  const RATINGS_AT_SOURCE = "source reviews-v3 ratings-v1 200 -";

  function reviewsOf(edges: Readonly<Record<string, number>>, reporter: string): number {
    const ofReporter = Object.entries(edges).filter(([edge]) => edge.startsWith(`${reporter} productpage-v1 reviews-`));
    return ofReporter.reduce((sum, [, by]) => sum + by, 0);
  }

  it("splits anew by the weights of a VirtualService, loses no request and counts each one", async () => {
    const { edges, views } = await underLoad(async (load) => {
      await demo.write("reviews.yaml", reviewsRoute({ v1: 75, v3: 25 }));
      while ((await served(demo, "reviews-v3")) === 0) await load.more(1);
      await load.more(200);
    });
    for (const reporter of ["source", "destination"]) {
      expect(edges[`${reporter} istio-ingressgateway productpage-v1 200 -`]).toBe(views);
      expect(edges[`${reporter} productpage-v1 details-v1 200 -`]).toBe(views);
      expect(reviewsOf(edges, reporter)).toBe(views);
      expect(edges[`${reporter} reviews-v3 ratings-v1 200 -`]).toBe(
        edges[`${reporter} productpage-v1 reviews-v3 200 -`],
      );
    }
    expect(Object.keys(edges).filter((edge) => !edge.endsWith(" 200 -"))).toEqual([]);
  }, 60_000);

  it("keeps to the weights", async () => {
    const views = 400;
    const before = await served(demo, "reviews-v3");
    const { edges } = await underLoad((load) => load.more(views));
    const share = (edges["destination productpage-v1 reviews-v3 200 -"] ?? 0) / reviewsOf(edges, "destination");
    // Five standard deviations of a split by chance.
    expect(Math.abs(share - 0.25)).toBeLessThan(5 * Math.sqrt((0.25 * 0.75) / views));
    expect(await served(demo, "reviews-v3")).toBeGreaterThan(before);
  }, 60_000);

  it("of a file that is broken is refused with object, field, file, line and cure, and the last good one serves", async () => {
    const { edges, views } = await underLoad(async (load) => {
      await demo.write("reviews.yaml", reviewsRoute({ v1: 100 }).replace("weight: 100", "weight: lots"));
      while ((await demo.pilot("/debug/faultz")).trim() === "[]") await load.more(1);
      await load.more(100);
    });
    const [fault] = JSON.parse(await demo.pilot("/debug/faultz")) as Record<string, unknown>[];
    expect(JSON.stringify(fault)).toMatch(/VirtualService.*default.*reviews/);
    expect(JSON.stringify(fault)).toContain("spec.http[0].route[0].weight");
    expect(JSON.stringify(fault)).toContain("reviews.yaml");
    expect(fault).toMatchObject({ line: 9 });
    expect(reviewsOf(edges, "destination")).toBe(views);
    expect(edges["destination productpage-v1 reviews-v3 200 -"]).toBeGreaterThan(0);
  }, 60_000);

  it("is taken up again once the file is mended", async () => {
    await demo.write("reviews.yaml", reviewsRoute({ v3: 100 }));
    while ((await demo.pilot("/debug/faultz")).trim() !== "[]");
    const { edges, views } = await underLoad(async (load) => {
      const v1 = () => served(demo, "reviews-v1");
      for (let before = -1, now = await v1(); before !== now; before = now, now = await v1()) await load.more(50);
    });
    expect(reviewsOf(edges, "destination")).toBe(views);
  }, 60_000);

  it("ends with no process and no folder left behind", async () => {
    const { pilotPid, workloads, config } = demo.summary;
    const pids = [pilotPid, ...workloads.flatMap(({ pid, appPid }) => (appPid === undefined ? [pid] : [pid, appPid]))];
    expect(pids).toHaveLength(14);
    expect(await demo.stop()).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(existsSync(config)).toBe(false);
  }, 20_000);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
