import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FakeCloudEndpoint } from "@mixerless/stackdriver/testing";
import { afterEach, describe, expect, it } from "vitest";
import { fetchPage } from "../fetch-page.ts";
import { RunningDemo } from "../running-demo.ts";
import { stackdriverFilters } from "./stackdriver-filters.ts";

const VIEWS = 10;
/** A view through reviews v2 is four hops, each counted by both ends. */
const COUNTED = 8 * VIEWS;
const PLATFORM = {
  gcp_project: "demo-project",
  gcp_project_number: "123",
  gcp_gke_cluster_name: "c",
  gcp_location: "us",
};

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
}, 30_000);

async function demoThatExportsTo(address: string): Promise<RunningDemo> {
  const folder = await mkdtemp(join(tmpdir(), "stackdriver-"));
  closing.push(() => rm(folder, { recursive: true }));
  const bundle = join(folder, "stackdriver.yaml");
  await writeFile(bundle, stackdriverFilters("1.9"));
  const environment = {
    ISTIO_META_STACKDRIVER_ENDPOINT: address,
    ISTIO_META_STACKDRIVER_MONITORING_EXPORT_INTERVAL_SECS: "1",
    ISTIO_METAJSON_PLATFORM: JSON.stringify({ PLATFORM_METADATA: PLATFORM }),
  };
  const flags = ["--no-traffic", "--reviews", "v2", "--istio-version", "1.9.9", "--config", bundle];
  const demo = await RunningDemo.startWith(environment, ...flags);
  closing.push(() => demo.stop());
  return demo;
}

async function view(demo: RunningDemo): Promise<number> {
  return (await fetchPage(`${demo.summary.ingress}/productpage`)).status;
}

describe("a mesh whose EnvoyFilters insert stackdriver, as Istio's charts do", () => {
  it("tells the cloud of every request that istio_requests_total counts, with the same ends", async () => {
    const endpoint = await FakeCloudEndpoint.start();
    closing.push(async () => endpoint.close());
    const demo = await demoThatExportsTo(endpoint.address);
    const grown = await demo.growth("istio_requests_total", COUNTED, async () => {
      for (let i = 0; i < VIEWS; i++) expect(await view(demo)).toBe(200);
    });
    await demo.stop();
    expect(endpoint.cloud.faults).toEqual([]);
    const told = ["server", "client"].flatMap((side) =>
      endpoint.cloud.metric(`${side}/request_count`).map(({ labels, count }) => {
        const { source_workload_name: source, destination_workload_name: destination } = labels;
        return [side, source, destination, labels.response_code, labels.service_authentication_policy, count];
      }),
    );
    const counted = [...grown].map(([text, count]) => {
      const labels = JSON.parse(text) as Record<string, string>;
      const side = labels.reporter === "source" ? "client" : "server";
      const policy = side === "client" ? "unknown" : labels.connection_security_policy?.toUpperCase();
      return [side, labels.source_workload, labels.destination_workload, labels.response_code, policy, count];
    });
    expect(told.sort()).toEqual(counted.sort());
    expect(told).toHaveLength(8);
    const logged = endpoint.cloud.entries.map(({ logName }) => logName);
    expect(logged).toEqual(Array(4 * VIEWS).fill("projects/demo-project/logs/server-accesslog-stackdriver"));
  }, 60_000);
});
