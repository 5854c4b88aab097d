import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { fetchPage } from "./fetch-page.ts";
import { RunningDemo } from "./running-demo.ts";

/** Istio's own files; without them what needs them is not tried. */
const DATA = process.env.ISTIO_DATA ?? "";
if (DATA === "") console.log("ISTIO_DATA is not set: Istio's own EnvoyFilters are not tried");

const VIEWS = 10;
/** A view through reviews v2 is four hops, each counted by both ends. */
const COUNTED = 8 * VIEWS;

const VMS = "envoy_wasm_envoy_wasm_runtime_v8_created";

/** What a demo counts of some page views, and the virtual machines that it made. */
async function counted(demos: RunningDemo[], ...flags: string[]) {
  const demo = await RunningDemo.start("--no-traffic", "--reviews", "v2", "--loopback", "single", ...flags);
  demos.push(demo);
  const series = await demo.growth("istio_requests_total", COUNTED, async () => {
    for (let i = 0; i < VIEWS; i++) expect((await fetchPage(`${demo.summary.ingress}/productpage`)).status).toBe(200);
  });
  const durations = await demo.series("istio_request_duration_milliseconds_count");
  const sizes = await demo.series("istio_request_bytes_count");
  const sorted = (map: Map<string, number>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  const measured = { requests: sorted(series), durations: sorted(durations), sizes: sorted(sizes) };
  const vms = [...(await demo.series(VMS)).values()];
  await demo.stop();
  return { measured, vms };
}

describe("Istio's telemetry as Wasm modules", () => {
  const demos: RunningDemo[] = [];

  afterAll(async () => {
    for (const demo of demos) await demo.stop();
  }, 20_000);

  it("makes the series and counts that it makes in process, in VMs that really run", async () => {
    const native = await counted(demos);
    const modules = await counted(demos, "--extensions", "wasm");
    expect(native.measured.requests).toHaveLength(8);
    expect(modules.measured).toEqual(native.measured);
    expect(native.vms).toEqual([]);
    expect(modules.vms.length).toBeGreaterThan(0);
    expect(modules.vms.every((vms) => vms >= 2)).toBe(true);
  }, 90_000);

  it.runIf(DATA !== "")(
    "comes from the EnvoyFilters of Istio 1.9 and 1.6 as well",
    async () => {
      const native = await counted(demos);
      for (const version of ["1.9.9", "1.6.14"]) {
        const bundle = join(DATA, `telemetry-v2-envoyfilters-${version}.yaml`);
        const flags = ["--telemetry", "none", "--istio-version", version, "--config", bundle];
        expect((await counted(demos, ...flags)).measured, version).toEqual(native.measured);
      }
    },
    120_000,
  );
});
