import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { byEdge } from "./edge-counts.ts";
import { Load } from "./load.ts";
import { RunningDemo } from "./running-demo.ts";

const METRIC = "istio_requests_total";

describe("a mesh that loses a part", () => {
  let demo: RunningDemo;

  beforeAll(async () => {
    demo = await RunningDemo.start("--no-traffic", "--reviews", "v1");
  }, 60_000);

  afterAll(async () => {
    await demo?.stop();
  }, 20_000);

  const page = () => `${demo.summary.ingress}/productpage`;

  async function detailsServed(): Promise<number> {
    return byEdge(await demo.series(METRIC))["source productpage-v1 details-v1 200 -"] ?? 0;
  }

  it("serves on without its control plane, and takes changes again once that is back", async () => {
    const load = new Load(page());
    await load.more(50);
    const back = demo.says("pilot is back");
    process.kill(demo.summary.pilotPid, "SIGKILL");
    await back;
    await load.more(100);
    await demo.write("reviews.yaml", REVIEWS_V2);
    while (!(await ratingsAsked())) await load.more(1);
    await load.stop();
    expect(Object.fromEntries(load.answers)).toEqual({ 200: load.total });
  }, 60_000);

  async function ratingsAsked(): Promise<boolean> {
    return (byEdge(await demo.series(METRIC))["source reviews-v2 ratings-v1 200 -"] ?? 0) > 0;
  }

  it("goes on without a sidecar, says which one died, and uses it again once it is back", async () => {
    const { pid } = demo.workload("details-v1");
    const load = new Load(page());
    await load.more(50);
    const named = demo.says("sidecar details-v1 was ended by SIGKILL");
    const back = demo.says("sidecar details-v1 is back");
    process.kill(pid, "SIGKILL");
    await named;
    await back;
    const before = await detailsServed();
    while ((await detailsServed()) === before) await load.more(1);
    await load.stop();
    // The page shows what it has: the part that was away is an error in it, not of it.
    expect(Object.fromEntries(load.answers)).toEqual({ 200: load.total });
    const edges = byEdge(await demo.series(METRIC));
    for (const [edge, count] of Object.entries(edges)) {
      if (edge.startsWith("source") && !edge.includes("details-v1") && !edge.includes("unknown"))
        expect([edge, count > 0]).toEqual([expect.stringMatching(/ 200 -$/), true]);
    }
  }, 60_000);
});

const REVIEWS_V2 = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: default }
spec:
  hosts: [reviews]
  http:
    - route:
        - destination: { host: reviews, subset: v2 }
`;
