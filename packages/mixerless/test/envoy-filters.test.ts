import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Load } from "./load.ts";
import { RunningDemo } from "./running-demo.ts";

/** Marks every answer of productpage's sidecar, answers one path itself, and gives one cluster another time-out. */
const FILTER = `apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: { name: marks, namespace: default }
spec:
  workloadSelector: { labels: { app: productpage } }
  configPatches:
    - applyTo: VIRTUAL_HOST
      match: { context: SIDECAR_INBOUND }
      patch:
        operation: MERGE
        value: { response_headers_to_add: [{ header: { key: x-patched, value: "yes" } }] }
    - applyTo: HTTP_ROUTE
      match: { context: SIDECAR_INBOUND }
      patch:
        operation: INSERT_FIRST
        value: { match: { path: /teapot }, direct_response: { status: 418 } }
    - applyTo: HTTP_FILTER
      match:
        context: SIDECAR_INBOUND
        listener:
          filterChain:
            filter:
              name: envoy.filters.network.http_connection_manager
              subFilter: { name: envoy.filters.http.cors }
      patch: { operation: REMOVE }
    - applyTo: CLUSTER
      match: { context: SIDECAR_OUTBOUND, cluster: { service: reviews.default.svc.cluster.local } }
      patch: { operation: MERGE, value: { connect_timeout: 0.5s } }
`;

describe("an EnvoyFilter that comes and goes under load", () => {
  let demo: RunningDemo;

  beforeAll(async () => {
    demo = await RunningDemo.start("--no-traffic", "--reviews", "v1");
  }, 60_000);

  afterAll(async () => {
    await demo?.stop();
  }, 20_000);

  const mark = async () => (await fetch(`${demo.summary.ingress}/productpage`)).headers.get("x-patched");
  const dump = async () => JSON.parse(await demo.pilot("/debug/config_dump?proxyID=productpage-v1.default")).configs;

  it("applies, says where it came from, and leaves the generated configuration when it goes; no request fails", async () => {
    const before = await dump();
    const load = new Load(`${demo.summary.ingress}/productpage`);
    await load.more(20);
    await demo.write("marks.yaml", FILTER);
    while ((await mark()) !== "yes") await load.more(1);
    expect(await demo.pilot("/debug/faultz")).toBe("[]\n");
    expect(JSON.stringify(await dump())).toMatch(/EnvoyFilter default\/marks \([^)]*marks\.yaml:7\)/);
    await load.more(100);
    await demo.write("marks.yaml", "");
    while ((await mark()) !== null) await load.more(1);
    await load.more(50);
    await load.stop();
    expect(Object.fromEntries(load.answers)).toEqual({ 200: load.total });
    expect(await dump()).toEqual(before);
  }, 60_000);

  it("names the patch that matches nothing, with what is nearest", async () => {
    await demo.write("marks.yaml", FILTER.replace("reviews.default", "review.default"));
    while (!(await demo.pilot("/debug/faultz")).includes("patch-matched-nothing"));
    const [fault] = JSON.parse(await demo.pilot("/debug/faultz")) as Record<string, unknown>[];
    expect(fault).toMatchObject({ object: "EnvoyFilter default/marks", path: "spec.configPatches[3]", line: 26 });
    expect(String(fault?.message)).toContain("not of review.default.svc.cluster.local");
  }, 60_000);
});
