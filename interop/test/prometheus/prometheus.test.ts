import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RunningDemo } from "../../../packages/mixerless/test/running-demo.ts";
import { findProgram, titled } from "../peers.ts";
import { bookinfoLedger, HOPS, MISSING, PATHS, SERVICES, VIEW } from "./bookinfo-ledger.ts";
import { type Buckets, bucketLedger, readBuckets } from "./bucket-ledger.ts";
import { type Dashboard, interpolate, queriesOf, type Variables } from "./dashboards.ts";
import { type Expected, expectation, keyOf } from "./expectation.ts";
import { kialiQueries } from "./kiali-queries.ts";
import { PrometheusServer, type Sample } from "./prometheus-server.ts";
import { SteadyLoad } from "./steady-load.ts";

/** Seconds. The demo's own configuration says 5 s, and Grafana looks back over four scrapes. */
const SCRAPE = 5;
const WINDOW = `${SCRAPE * 4}s`;
const POINTS = 8;
const RATE = 20;
const TOLERANCE = 0.02;
const ISTIO_VERSION = "1.30.3";

const prometheus = findProgram("prometheus");
const promtool = findProgram("promtool");
const folder = join(process.env.ISTIO_DATA ?? "", "istio-dashboards-1.30.3");
const hasDashboards = process.env.ISTIO_DATA !== undefined && existsSync(folder);
const without = [
  prometheus === null && "no prometheus, npm run interop:setup installs it",
  promtool === null && "no promtool",
];
const MIXERLESS = fileURLToPath(new URL("../../../packages/mixerless/bin/mixerless.js", import.meta.url));

describe.skipIf(without.some(Boolean))(titled("Debian's Prometheus", without), () => {
  let demo: RunningDemo;
  let server: PrometheusServer;
  let load: SteadyLoad;
  /** Seconds since 1970 between which every window of a query was full of steady load. */
  let from = 0;
  let to = 0;
  let total = 0;

  beforeAll(async () => {
    demo = await RunningDemo.start("--no-traffic", "--reviews", "v2");
    server = await PrometheusServer.start(prometheus ?? "", demo.summary.prometheusConfig);
    await server.until("has scraped every target", async () => {
      const [up] = await server.query("sum(up)");
      return up?.values[0] === demo.summary.workloads.length + 1;
    });
    load = new SteadyLoad(demo.summary.ingress, RATE, PATHS);
    await pause((SCRAPE * 5 + 2) * 1000);
    from = Date.now() / 1000;
    await pause((POINTS - 1) * SCRAPE * 1000);
    to = from + (POINTS - 1) * SCRAPE;
    total = await load.stop();
    await server
      .until("has scraped the last request", async () => (await countFaults(EVERYTHING)).length === 0)
      .catch(() => {
        // What is missing or too much is told by the test that compares the counts.
      });
  });

  afterAll(async () => {
    await server?.stop();
    await demo?.stop();
  });

  /** The mean over the steady time, because a single irate sees the jitter of two scrapes. */
  async function measured(query: string): Promise<Map<string, { sample: Sample; mean: number }>> {
    const samples = await server.range(query, from, to, SCRAPE);
    return new Map(
      samples.map((sample) => {
        const mean = sample.values.reduce((sum, value) => sum + value, 0) / sample.values.length;
        return [keyOf(sample.metric), { sample, mean }];
      }),
    );
  }

  function rates() {
    // A quantile lies at most at the upper bound of the bucket, and Istio's buckets at most triple.
    return bookinfoLedger({ requests: (path) => load.rate(path), longest: load.slowest * 3, version: ISTIO_VERSION });
  }

  /** What is wrong with the answer to a query; nothing when it is right. */
  async function faultsOf(query: string): Promise<string[]> {
    const expected = expectation(query, rates());
    const found = await measured(query);
    const faults = expected.flatMap((entry) => faultOf(entry, found.get(keyOf(entry.labels))?.mean, query));
    const known = new Set(expected.map(({ labels }) => keyOf(labels)));
    for (const key of found.keys()) if (!known.has(key)) faults.push(`unexpected ${key} in ${query}`);
    return faults;
  }

  /** What is wrong with the answer to a query of totals, once the load has ended; the numbers must be exact. */
  async function countFaults(query: string): Promise<string[]> {
    const requests = (path: string) => load.count(path, path === VIEW ? 200 : 404);
    const expected = expectation(query, bookinfoLedger({ requests, longest: 0, version: ISTIO_VERSION }));
    const found = (await server.query(query)).map(({ metric, values }) => `${keyOf(metric)} ${values[0]}`);
    const wanted = expected.map(({ labels, high }) => `${keyOf(labels)} ${high}`);
    return [
      ...wanted.filter((line) => !found.includes(line)).map((line) => `missing ${line} in ${query}`),
      ...found.filter((line) => !wanted.includes(line)).map((line) => `unexpected ${line} in ${query}`),
    ];
  }

  /** What is wrong with quantiles, at each moment, by the buckets as they were scraped for that moment. */
  async function quantileFaults(query: string, moments: readonly Buckets[]): Promise<string[]> {
    const faults: string[] = [];
    for (const buckets of moments) {
      const found = new Map(
        (await server.query(query, buckets.end)).map(({ metric, values }) => [keyOf(metric), values[0]]),
      );
      const expected = expectation(query, bucketLedger(buckets, query));
      if (found.size !== expected.length) faults.push(`${found.size} series, not ${expected.length}, in ${query}`);
      faults.push(...expected.flatMap((entry) => quantileFault(entry, found.get(keyOf(entry.labels)), query)));
    }
    return faults;
  }

  /** The first few, for people. */
  async function faultsOfAll(
    queries: Iterable<string>,
    check: (query: string) => Promise<string[]> = faultsOf,
  ): Promise<string[]> {
    const faults: string[] = [];
    for (const query of new Set(queries)) faults.push(...(await check(query)));
    return faults.slice(0, 10);
  }

  it("had every request answered at the rate that the ledger says", () => {
    const sent = load.count(VIEW, 200) + load.count(MISSING, 404);
    expect([...load.answers.keys()].sort()).toEqual([`${VIEW} 200`, `${MISSING} 404`]);
    expect(sent).toBe(total);
  });

  it("counts exactly what the ledger counts, on both ends of every hop", async () => {
    expect(await countFaults(EVERYTHING)).toEqual([]);
  });

  it("finds istio_* in exactly one job", async () => {
    const found = await server.query('count by (job) ({__name__=~"istio_(requests|request|response|build).*"})');
    expect(found.map(({ metric }) => metric.job)).toEqual(["workloads"]);
  });

  it("answers Kiali's graph with the ledger's rates", async () => {
    const queries = ["default", "istio-system"].flatMap((namespace) => kialiQueries(namespace, WINDOW));
    expect(await faultsOfAll(queries)).toEqual([]);
    expect(queries.filter((query) => expectation(query, rates()).length > 0)).toHaveLength(5);
  });

  describe.skipIf(!hasDashboards)(
    titled("with Istio's dashboards", [!hasDashboards && "ISTIO_DATA is not set"]),
    () => {
      it("answers every query of the mesh dashboard", async () => {
        const { panels } = queriesOf(folder, "mesh-dashboard.gen");
        expect(panels).toHaveLength(12);
        expect(await faultsOfAll(filled(panels, [{}]))).toEqual([]);
      });

      it("answers every query of the service dashboard, for every service", async () => {
        const { panels, variables } = queriesOf(folder, "service-dashboard");
        expect(panels).toHaveLength(76);
        expect(await faultsOfAll(filled(panels, serviceChoices()))).toEqual([]);
        expect(await faultsOfAll(filled(variables, serviceChoices()), countFaults)).toEqual([]);
      });

      it("answers every query of the workload dashboard, for every workload", async () => {
        const { panels, variables } = queriesOf(folder, "workload-dashboard");
        expect(panels).toHaveLength(71);
        expect(await faultsOfAll(filled(panels, workloadChoices()))).toEqual([]);
        expect(await faultsOfAll(filled(variables, workloadChoices()), countFaults)).toEqual([]);
      });

      it("answers every query of quantiles by Prometheus's rule from the buckets that the proxies count", async () => {
        const dashboards: [Dashboard, Variables[]][] = [
          ["mesh-dashboard.gen", [{}]],
          ["service-dashboard", serviceChoices()],
          ["workload-dashboard", workloadChoices()],
        ];
        const queries = dashboards
          .flatMap(([dashboard, choices]) => filled(queriesOf(folder, dashboard).panels, choices))
          .filter((query) => query.includes("histogram_quantile"));
        const read = (selector: string, time: number) => server.raw(selector, time);
        const moments = [await readBuckets(read, to - 3 * SCRAPE, SCRAPE * 4), await readBuckets(read, to, SCRAPE * 4)];
        expect(await faultsOfAll(queries, (query) => quantileFaults(query, moments))).toEqual([]);
        for (const name of ["request_duration_milliseconds", "request_bytes", "response_bytes"]) {
          const answered = queries.filter(
            (query) =>
              query.includes(`istio_${name}_bucket`) &&
              moments.every((moment) => expectation(query, bucketLedger(moment, query)).length > 0),
          );
          expect(answered, name).not.toEqual([]);
        }
      });

      it("has no query that nothing in this mesh can answer but those of TCP, of requests in clear, and of TLS by the word of the source", () => {
        const dashboards: [Dashboard, Variables[]][] = [
          ["mesh-dashboard.gen", [{}]],
          ["service-dashboard", serviceChoices()],
          ["workload-dashboard", workloadChoices()],
        ];
        const empty = dashboards.flatMap(([dashboard, choices]) => {
          const { panels } = queriesOf(folder, dashboard);
          return panels.filter((panel) =>
            filled([panel], choices).every((query) => expectation(query, rates()).length === 0),
          );
        });
        // The source's end never says that a request came by mutual TLS.
        const explained =
          /istio_tcp_|!="mutual_tls"|!~"spiffe|reporter="source", connection_security_policy="mutual_tls"/;
        const unexplained = empty.filter((query) => !explained.test(query));
        expect(unexplained).toEqual([]);
      });
    },
  );

  it("shows with --scrape split the proxies and the applications apart", async () => {
    const config = join(await mkdtemp(join(tmpdir(), "mixerless-split-")), "prometheus.yml");
    const flags = ["prometheus", "config", "--pilot", demo.summary.pilot, "--scrape", "split", "--interval", "1s"];
    const printed = spawnSync(process.execPath, [MIXERLESS, ...flags], { encoding: "utf8" });
    await writeFile(config, printed.stdout);
    const split = await PrometheusServer.start(prometheus ?? "", config);
    try {
      const count = "count by (job) (istio_requests_total)";
      await split.until("has the proxies' series", async () => {
        const [up] = await split.query('sum(up{job="proxies"})');
        return up?.values[0] === demo.summary.workloads.length && (await split.query(count)).length > 0;
      });
      expect((await split.query(count)).map(({ metric }) => metric.job)).toEqual(["proxies"]);
    } finally {
      await split.stop();
      await rm(join(config, ".."), { recursive: true });
    }
  });

  it.each(["merged", "split"])(
    "accepts by promtool what `mixerless prometheus config --scrape %s` prints",
    async (scrape) => {
      const config = join(await mkdtemp(join(tmpdir(), "mixerless-promtool-")), "prometheus.yml");
      const flags = ["prometheus", "config", "--pilot", demo.summary.pilot, "--scrape", scrape];
      await writeFile(config, spawnSync(process.execPath, [MIXERLESS, ...flags], { encoding: "utf8" }).stdout);
      const checked = spawnSync(promtool ?? "", ["check", "config", config], { encoding: "utf8" });
      await rm(join(config, ".."), { recursive: true });
      expect(checked.stdout).toContain("is valid prometheus config file syntax");
      expect(checked.status).toBe(0);
    },
  );

  it("accepts by promtool the series of every sidecar", async () => {
    for (const { merged } of demo.summary.workloads) {
      const page = await (await fetch(merged)).text();
      const checked = spawnSync(promtool ?? "", ["check", "metrics"], { input: page, encoding: "utf8" });
      const faults = checked.stderr.split("\n").filter((line) => !LINT.test(line) && line.trim() !== "");
      expect(faults, merged).toEqual([]);
    }
  });

  function filled(queries: readonly string[], choices: readonly Variables[]): string[] {
    return queries.flatMap((query) =>
      choices.map((variables) => interpolate(query, { ...variables, __rate_interval: WINDOW })),
    );
  }
});

/** Every request, with every label that the ledger knows. */
const EVERYTHING = `sum(istio_requests_total) by (${Object.keys(HOPS[0]?.labels ?? {}).join(", ")})`;

/** Advice on names, which are Istio's, and on HELP, which Envoy does not give either. */
const LINT = /no help text|should|must not|use base unit|abbreviated|contain/;

/** Every variable but the service at "All", seen from each end and from both. */
function serviceChoices(): Variables[] {
  const reporters = [["source"], ["destination"], ["source", "destination"]];
  return SERVICES.flatMap((service) =>
    reporters.map((qrep) => ({
      service,
      qrep,
      ...{ srccluster: ["Kubernetes"], srcns: ["default", "istio-system"], srcwl: all("source_workload") },
      ...{ dstcluster: ["Kubernetes"], dstns: ["default"], dstwl: all("destination_workload") },
    })),
  );
}

function workloadChoices(): Variables[] {
  const workloads = [...new Set([...all("source_workload"), ...all("destination_workload")])];
  return workloads.flatMap((workload) =>
    [["source"], ["destination"], ["source", "destination"]].map((qrep) => ({
      namespace: workload === "istio-ingressgateway" ? "istio-system" : "default",
      workload,
      qrep,
      ...{ srcns: ["default", "istio-system"], srcwl: all("source_workload"), dstsvc: SERVICES },
    })),
  );
}

function all(label: string): string[] {
  return [...new Set(HOPS.map(({ labels }) => labels[label] ?? ""))];
}

/** Nothing when the mean is as expected. The dashboards round to 0.01 and 0.001. */
function faultOf({ labels, low, high }: Expected, mean: number | undefined, query: string): string[] {
  const slack = low === high ? Math.abs(low) * TOLERANCE + (query.includes("round") ? 0.01 : 1e-9) : 0;
  if (mean !== undefined && mean >= low - slack && mean <= high + slack) return [];
  return [`${keyOf(labels)} is ${mean}, not ${low === high ? low : `${low} to ${high}`}, in ${query}`];
}

/** The same points by the same rule: only the last digits may differ. Without observations there is no quantile. */
function quantileFault({ labels, low, high }: Expected, value: number | undefined, query: string): string[] {
  const slack = Math.abs(high) * 1e-6;
  if (value !== undefined && Number.isNaN(value) && Number.isNaN(high)) return [];
  if (value !== undefined && value >= low - slack && value <= high + slack) return [];
  return [`${keyOf(labels)} is ${value}, not ${low} to ${high}, in ${query}`];
}
