import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseExposition } from "@mixerless/metrics";
import { FakeCloudEndpoint, FakeTokenEndpoint, LOOPBACK_CERTIFICATE } from "@mixerless/stackdriver/testing";
import { afterEach, describe, expect, it } from "vitest";
import { fetchPage } from "../fetch-page.ts";
import { RunningDemo } from "../running-demo.ts";
import { stackdriverFilters } from "./stackdriver-filters.ts";

const VIEWS = 10;
/** A view through reviews v2 is four hops, each counted by both ends. */
const COUNTED = 8 * VIEWS;
/** How many items ended in each result, over all sidecars. */
async function results(demo: RunningDemo, kind: string): Promise<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const { prometheus } of demo.summary.workloads) {
    const parsed = parseExposition((await fetchPage(prometheus)).body);
    if (!("samples" in parsed)) throw new Error(JSON.stringify(parsed));
    for (const { name, labels, value } of parsed.samples) {
      const { kind: its, result = "" } = Object.fromEntries(Object.entries(labels));
      if (name === "mixerless_cloud_export_total" && its === kind) sums[result] = (sums[result] ?? 0) + value;
    }
  }
  return sums;
}

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

async function demoThatExports(variables: Readonly<Record<string, string>>): Promise<RunningDemo> {
  const folder = await mkdtemp(join(tmpdir(), "stackdriver-"));
  closing.push(() => rm(folder, { recursive: true }));
  const bundle = join(folder, "stackdriver.yaml");
  await writeFile(bundle, stackdriverFilters("1.9"));
  const environment = {
    ...variables,
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
  it("tells the cloud of every request that istio_requests_total counts, by TLS and with a token of its key", async () => {
    const endpoint = await FakeCloudEndpoint.start({ tls: LOOPBACK_CERTIFICATE });
    const tokens = await FakeTokenEndpoint.start();
    closing.push(
      async () => endpoint.close(),
      () => tokens.close(),
    );
    endpoint.cloud.accepts = (token) => /^token-\d+$/.test(token);
    const folder = await mkdtemp(join(tmpdir(), "stackdriver-"));
    closing.push(() => rm(folder, { recursive: true }));
    const [roots, key] = [join(folder, "roots.pem"), join(folder, "key.json")];
    await writeFile(roots, LOOPBACK_CERTIFICATE.certificate);
    await writeFile(key, JSON.stringify(tokens.serviceAccount()));
    const demo = await demoThatExports({
      ISTIO_META_SECURE_STACKDRIVER_ENDPOINT: endpoint.address,
      ISTIO_META_STACKDRIVER_ROOT_CA_FILE: roots,
      GOOGLE_APPLICATION_CREDENTIALS: key,
    });
    const grown = await demo.growth("istio_requests_total", COUNTED, async () => {
      for (let i = 0; i < VIEWS; i++) expect(await view(demo)).toBe(200);
    });
    const dumps = await Promise.all(
      demo.summary.workloads.map(async ({ admin }) => (await fetchPage(`${admin}/config_dump`)).body),
    );
    const { failed, dropped } = await results(demo, "time_series");
    await demo.stop();
    expect(endpoint.cloud.faults).toEqual([]);
    expect([failed, dropped]).toEqual([0, 0]);
    expect(endpoint.cloud.calls.refused).toBe(0);
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
    for (const text of [...dumps, demo.stderr]) {
      expect(text).not.toContain("PRIVATE KEY");
      expect(text).not.toMatch(/token-\d/);
    }
  }, 120_000);

  it("fails no request while the endpoint is away, says so in counters, and tells everything once it is back", async () => {
    const first = await FakeCloudEndpoint.start();
    const { port, address } = first;
    first.close();
    const demo = await demoThatExports({ ISTIO_META_STACKDRIVER_ENDPOINT: address });
    await demo.growth("istio_requests_total", COUNTED, async () => {
      for (let i = 0; i < VIEWS; i++) expect(await view(demo)).toBe(200);
    });
    let views = VIEWS;
    for (; ((await results(demo, "time_series")).failed ?? 0) === 0; views++) expect(await view(demo)).toBe(200);
    expect(await results(demo, "log_entry")).toMatchObject({ failed: 0, dropped: 0 });
    const endpoint = await FakeCloudEndpoint.start({ port });
    closing.push(async () => endpoint.close());
    const told = () =>
      ["server", "client"]
        .flatMap((side) => endpoint.cloud.metric(`${side}/request_count`))
        .reduce((sum, { count }) => sum + count, 0);
    // Each sidecar finds it back in its own time.
    while (told() < 8 * views || endpoint.cloud.entries.length < 4 * views)
      await fetchPage(demo.workload("ratings-v1").prometheus);
    expect(endpoint.cloud.faults).toEqual([]);
    expect(told()).toBe(8 * views);
    expect(await results(demo, "log_entry")).toMatchObject({ failed: 0, dropped: 0 });
  }, 120_000);
});
