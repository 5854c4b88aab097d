import { Agent } from "node:http";
import { parseExposition } from "@mixerless/metrics";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stringify } from "yaml";
import { fetchPage } from "./fetch-page.ts";
import { Load } from "./load.ts";
import { picker } from "./random-mesh.ts";
import { RunningDemo } from "./running-demo.ts";
import { expectedLabels, type Labels, type Override, VALUES } from "./telemetry-model.ts";

const ROUNDS = Number(process.env.MIXERLESS_TELEMETRY_ROUNDS ?? 24);
const SEED = Number(process.env.MIXERLESS_RANDOM_SEED ?? 7);
const VIEWS = 3;
/** Metric in Telemetry → sample that counts requests. */
const METRICS = { REQUEST_COUNT: "istio_requests_total", RESPONSE_SIZE: "istio_response_bytes_count" } as const;

type Counts = Map<string, number>;

let demo: RunningDemo;

beforeAll(async () => {
  demo = await RunningDemo.start("--no-traffic", "--reviews", "v1");
}, 60_000);

afterAll(async () => {
  await demo?.stop();
}, 20_000);

const keyOf = (metric: string, workload: string, labels: Labels) =>
  JSON.stringify([metric, workload, ...Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);

/** Every series of the metrics, by the workload that has it. */
async function scrape(): Promise<Counts> {
  const counts: Counts = new Map();
  for (const { name, prometheus } of demo.summary.workloads) {
    const parsed = parseExposition((await fetchPage(prometheus)).body);
    if (!("samples" in parsed)) throw new Error(`${name} has series that do not parse: ${JSON.stringify(parsed)}`);
    for (const sample of parsed.samples)
      for (const [metric, counted] of Object.entries(METRICS))
        if (sample.name === counted) counts.set(keyOf(metric, name, { ...sample.labels }), sample.value);
  }
  return counts;
}

function growth(before: Counts, after: Counts): Record<string, number> {
  const grown = [...after].map(([key, value]): [string, number] => [key, value - (before.get(key) ?? 0)]);
  return Object.fromEntries(grown.filter(([, by]) => by !== 0));
}

const total = (counts: Record<string, number>) => Object.values(counts).reduce((sum, by) => sum + by, 0);

/** What grows by page views that nothing else disturbs. */
async function counted(expectedTotal: number): Promise<Record<string, number>> {
  const before = await scrape();
  // An idle connection keeps the configuration that it began with for one more request [decision 10].
  const agent = new Agent({ keepAlive: true });
  for (let i = 0; i < VIEWS; i++)
    expect((await fetchPage(`${demo.summary.ingress}/productpage`, agent)).status).toBe(200);
  agent.destroy();
  for (;;) {
    const grown = growth(before, await scrape());
    // The last hop reports when its stream ends, a moment after the client has its answer.
    if (total(grown) >= expectedTotal) return grown;
  }
}

/** The overrides that speak for a workload, the nearest last. */
type Objects = Readonly<Record<"root" | "namespace" | "workload", readonly Override[]>> & { readonly app: string };

function overridesFor({ root, namespace, workload, app }: Objects, name: string): readonly Override[] {
  // The gateway is of the root namespace.
  if (name === "istio-ingressgateway") return root;
  return [...root, ...namespace, ...(name.startsWith(`${app}-`) ? workload : [])];
}

function randomObjects(pick: (below: number) => number): Objects {
  const oneOf = <T>(...values: readonly T[]) => values[pick(values.length)] as T;
  const tag = () => {
    const name = oneOf(
      "source_principal",
      "response_flags",
      "request_protocol",
      "destination_version",
      "team",
      "extra",
    );
    return { [name]: pick(3) === 0 ? { operation: "REMOVE" } : { value: oneOf(...Object.keys(VALUES)) } };
  };
  const overrides = (): Override[] =>
    Array.from({ length: pick(4) }, () => {
      const metric = oneOf(undefined, "ALL_METRICS", "REQUEST_COUNT", "RESPONSE_SIZE", "TCP_SENT_BYTES");
      const mode = oneOf(undefined, "CLIENT_AND_SERVER", "CLIENT", "SERVER");
      const disabled = oneOf(undefined, undefined, undefined, true, false);
      return {
        match: { ...(metric !== undefined && { metric }), ...(mode !== undefined && { mode }) },
        ...(disabled !== undefined && { disabled }),
        ...(pick(3) > 0 && { tagOverrides: { ...tag(), ...tag() } }),
      };
    });
  const app = oneOf("productpage", "details", "reviews");
  return { root: overrides(), namespace: overrides(), workload: overrides(), app };
}

/** One file, so one push; the route's name shows when it has arrived. */
function fileOf({ root, namespace, workload, app }: Objects, mark: string): string {
  const telemetry = (place: string, overrides: readonly Override[], more: object = {}) => ({
    apiVersion: "telemetry.istio.io/v1",
    kind: "Telemetry",
    metadata: { name: place === "istio-system" ? "mesh" : `of-${Object.keys(more).length}`, namespace: place },
    spec: { ...more, metrics: [{ overrides }] },
  });
  const marked = {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "details", namespace: "default" },
    spec: { hosts: ["details"], http: [{ name: mark, route: [{ destination: { host: "details" } }] }] },
  };
  const documents = [
    telemetry("istio-system", root),
    telemetry("default", namespace),
    telemetry("default", workload, { selector: { matchLabels: { app } } }),
    marked,
  ];
  return documents.map((document) => stringify(document)).join("---\n");
}

async function arrived(mark: string): Promise<boolean> {
  const { body } = await fetchPage(`${demo.workload("productpage-v1").admin}/config_dump`);
  if (!body.includes(mark)) return false;
  const proxies = JSON.parse(await demo.pilot("/debug/syncz")) as { resources: Record<string, { state: string }> }[];
  return proxies.every(({ resources }) =>
    Object.values(resources).every(({ state }) => state === "synced" || state === "not-sent"),
  );
}

it("counts exactly what 24 random changes of metrics and labels say, each made under load, and no request fails", async () => {
  const pick = picker(SEED);
  const bases = Object.entries(await counted(2 * 6 * VIEWS)).map(([key, by]) => {
    const [metric, workload, ...labels] = JSON.parse(key) as [keyof typeof METRICS, string, ...[string, string][]];
    expect(by).toBe(VIEWS);
    return { metric, workload, labels: Object.fromEntries(labels) };
  });
  expect(bases).toHaveLength(2 * 6);

  for (let round = 0; round < ROUNDS; round++) {
    const objects = randomObjects(pick);
    const file = fileOf(objects, `round-${round}.`);
    const expected: Record<string, number> = {};
    for (const { metric, workload, labels } of bases) {
      const changed = expectedLabels(overridesFor(objects, workload), metric, workload, labels);
      if (changed === null) continue;
      const key = keyOf(metric, workload, changed);
      expected[key] = (expected[key] ?? 0) + VIEWS;
    }
    // One view at a time: each proxy then has one connection to each other, and none that nobody has used since.
    const load = new Load(`${demo.summary.ingress}/productpage`, 1);
    await load.more(3);
    await demo.write("telemetry.yaml", file);
    while (!(await arrived(`round-${round}.`))) await load.more(1);
    await load.more(3);
    await load.stop();
    expect(Object.fromEntries(load.answers), file).toEqual({ 200: load.total });
    expect(await demo.pilot("/debug/faultz"), file).toBe("[]\n");
    expect(await counted(total(expected)), file).toEqual(expected);
  }
}, 300_000);
