import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parseAllDocuments, stringify } from "yaml";
import { byEdge } from "./edge-counts.ts";
import { fetchPage } from "./fetch-page.ts";
import { Load } from "./load.ts";
import { RunningDemo } from "./running-demo.ts";

/** Given, the long form: so many requests between workloads, 100,000 or more, and a change every 200 ms. */
const HEAVY = process.env.MIXERLESS_DEMO_CHURN_REQUESTS !== undefined;
const REQUESTS = Number(process.env.MIXERLESS_DEMO_CHURN_REQUESTS ?? 1200);
const INTERVAL = 200;
const VIEWS_PER_CHANGE = 12;
const METRIC = "istio_requests_total";

/** No service has it: what listens there is new. */
const EXTRA_ADDRESS = "127.1.1.9";
const extraPort = (n: number) => 9100 + (n % 500);

type Item = { readonly metadata: { readonly name: string }; readonly spec: Record<string, unknown> };

let demo: RunningDemo;
let workloads: readonly Item[];
let sidecars: readonly Item[];

beforeAll(async () => {
  demo = await RunningDemo.start("--no-traffic", "--reviews", "v1");
  workloads = await itemsOf("workloads.yaml");
  sidecars = await itemsOf("sidecars.yaml");
}, 60_000);

afterAll(async () => {
  await demo?.stop();
}, 20_000);

async function itemsOf(file: string): Promise<Item[]> {
  const text = await readFile(join(demo.summary.config, file), "utf8");
  return parseAllDocuments(text).map((document) => document.toJS() as Item);
}

function listed(items: readonly object[]): string {
  return items.map((item) => stringify(item)).join("---\n");
}

function object(apiVersion: string, kind: string, name: string, spec: object): string {
  return stringify({ apiVersion, kind, metadata: { name, namespace: "default" }, spec });
}

const virtualService = (host: string, http: object[]) =>
  object("networking.istio.io/v1", "VirtualService", host, { hosts: [host], http });

/**
 * Of everything that a running mesh may be told, one after the other. A new set of labels is not among it: no object
 * that the control plane reads today asks for one.
 */
const CHANGES: readonly ((n: number) => Promise<void>)[] = [
  function weights(n) {
    const share = (n * 7) % 100;
    const route = Object.entries({ v1: share, v3: 100 - share }).map(([subset, weight]) => {
      return { destination: { host: "reviews", subset }, weight };
    });
    return demo.write("reviews.yaml", virtualService("reviews", [{ route }]));
  },
  function newRoute(n) {
    const route = [{ destination: { host: "details" } }];
    const match = [{ headers: { "end-user": { exact: `user-${n}` } } }];
    return demo.write("details.yaml", virtualService("details", [{ match, route }, { route }]));
  },
  function newListener(n) {
    const port = { number: extraPort(n), protocol: "HTTP", name: "http-extra" };
    const hosts = ["default/details.default.svc.cluster.local"];
    const extra = { port, bind: EXTRA_ADDRESS, captureMode: "NONE", hosts };
    const changed = sidecars.map(({ metadata, spec, ...rest }) => {
      if (metadata.name !== "productpage-v1") return { ...rest, metadata, spec };
      return { ...rest, metadata, spec: { ...spec, egress: [...(spec.egress as object[]), extra] } };
    });
    return demo.write("sidecars.yaml", listed(changed));
  },
  function endpoints(n) {
    const changed = workloads.map((entry) => ({ ...entry, spec: { ...entry.spec, weight: 1 + (n % 9) } }));
    return demo.write("workloads.yaml", listed(changed));
  },
  function changedChain(n) {
    const rules = [{ to: [{ operation: { paths: [`/never-${n}`] } }] }];
    const spec = { action: "DENY", rules };
    return demo.write("policy.yaml", object("security.istio.io/v1", "AuthorizationPolicy", "never", spec));
  },
];

async function held(workload: string): Promise<string> {
  return (await fetchPage(`${demo.workload(workload).admin}/config_dump?include_eds`)).body;
}

async function memory(): Promise<number> {
  const { body } = await fetchPage(`${demo.workload("productpage-v1").admin}/memory`);
  return Number((JSON.parse(body) as { total_physical_bytes: string }).total_physical_bytes) / 2 ** 20;
}

/** Requests that sources have counted, of all edges. */
function ofSources(edges: Readonly<Record<string, number>>): number {
  return Object.entries(edges).reduce((sum, [edge, count]) => sum + (edge.startsWith("source ") ? count : 0), 0);
}

it("loses no request and counts each one at both ends while weights, routes, listeners, endpoints and chains change", async () => {
  const load = new Load(`${demo.summary.ingress}/productpage`, HEAVY ? 8 : 4);
  const samples: number[] = [];
  await load.more(50);
  let n = 0;
  // A view is three requests at least: of the gateway, and of productpage for details and reviews.
  for (let change = 0; load.total * 3 < REQUESTS || n < 2; change++) {
    n = Math.floor(change / CHANGES.length);
    await CHANGES[change % CHANGES.length]?.(n);
    if (HEAVY) await pause(INTERVAL);
    else await load.more(VIEWS_PER_CHANGE);
    if (!HEAVY || change % 50 !== 0) continue;
    samples.push(await memory());
    process.stderr.write(`${load.total} views, ${change} changes, ${samples.at(-1)?.toFixed(0)} MiB\n`);
  }
  n++;
  for (const change of CHANGES) await change(n);
  while (!(await held("productpage-v1")).includes(`user-${n}`)) await load.more(1);
  while (!(await held("productpage-v1")).includes(`${EXTRA_ADDRESS}_${extraPort(n)}`)) await load.more(1);
  while (!(await held("details-v1")).includes(`/never-${n}`)) await load.more(1);
  await load.stop();
  expect(Object.fromEntries(load.answers), `the demo said: ${demo.stderr}`).toEqual({ 200: load.total });

  let edges = byEdge(await demo.series(METRIC));
  const sum = (pattern: RegExp) =>
    Object.entries(edges).reduce((total, [edge, count]) => total + (pattern.test(edge) ? count : 0), 0);
  const ratings = (reporter: string) => sum(new RegExp(`^${reporter} reviews-v3 ratings-v1 200 -$`));
  // The last hop reports when its stream ends, a moment after the client has its answer.
  while (
    sum(/^destination productpage-v1 reviews-/) < load.total ||
    sum(/^destination productpage-v1 details-/) < load.total ||
    ratings("destination") < ratings("source")
  )
    edges = byEdge(await demo.series(METRIC));
  for (const reporter of ["source", "destination"]) {
    expect(sum(new RegExp(`^${reporter} istio-ingressgateway productpage-v1 200 -$`))).toBe(load.total);
    expect(sum(new RegExp(`^${reporter} productpage-v1 details-v1 200 -$`))).toBe(load.total);
    expect(sum(new RegExp(`^${reporter} productpage-v1 reviews-v[13] 200 -$`))).toBe(load.total);
    expect(ratings(reporter)).toBe(sum(/^source productpage-v1 reviews-v3 200 -$/));
  }
  expect(Object.keys(edges).filter((edge) => !edge.endsWith(" 200 -"))).toEqual([]);
  if (!HEAVY) return;
  const third = Math.floor(samples.length / 3);
  expect(Math.max(...samples.slice(-third))).toBeLessThan(1.2 * Math.max(...samples.slice(third, -third)));
  process.stderr.write(`${load.total} views, ${ofSources(edges)} requests, ${(n + 1) * CHANGES.length} changes\n`);
}, 3_600_000);
