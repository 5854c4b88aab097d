import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { byEdge } from "./edge-counts.ts";
import { fetchPage } from "./fetch-page.ts";
import { Load } from "./load.ts";
import { RandomMesh } from "./random-mesh.ts";
import { RunningDemo } from "./running-demo.ts";

/** Given, the long form: so many minutes, with a change every 50 to 300 ms. */
const MINUTES = Number(process.env.MIXERLESS_RANDOM_MINUTES ?? 0);
const SEED = Number(process.env.MIXERLESS_RANDOM_SEED ?? 5);
const CHANGES = 40;
const REQUESTS_PER_CHANGE = 8;
const METRIC = "istio_requests_total";

let demo: RunningDemo;

beforeAll(async () => {
  demo = await RunningDemo.start("--no-traffic", "--reviews", "v1");
}, 60_000);

afterAll(async () => {
  await demo?.stop();
}, 20_000);

/** What a proxy holds, without the times and versions of the way there. */
async function held(admin: string): Promise<string> {
  const { body } = await fetchPage(`${admin}/config_dump?include_eds`);
  const told = new Set(["version_info", "last_updated"]);
  return JSON.stringify(JSON.parse(body), (key, value: unknown) => (told.has(key) ? undefined : value), 1);
}

const everyoneHolds = () =>
  Promise.all(demo.summary.workloads.map(async ({ name, admin }) => `${name} ${await held(admin)}`));

/** Every proxy is connected and has acknowledged all that it was sent. */
async function settled(): Promise<boolean> {
  const proxies = JSON.parse(await demo.pilot("/debug/syncz")) as { resources: Record<string, { state: string }> }[];
  if (proxies.length < demo.summary.workloads.length) return false;
  return proxies.every(({ resources }) => {
    const states = Object.values(resources).map(({ state }) => state);
    return states.length >= 2 && states.every((state) => state === "synced" || state === "not-sent");
  });
}

it("serves every request while objects come, change and go, and ends where a fresh start begins", async () => {
  const mesh = await RandomMesh.of(demo, SEED);
  const load = new Load(`${demo.summary.ingress}/productpage`);
  await load.more(50);
  const end = Date.now() + MINUTES * 60_000;
  let changes = 0;
  for (; MINUTES > 0 ? Date.now() < end : changes < CHANGES; changes++) {
    await mesh.change();
    if (MINUTES > 0) await pause(50 + ((changes * 37) % 250));
    else await load.more(REQUESTS_PER_CHANGE);
  }
  await mesh.finish("the-last-one");
  const productpage = demo.workload("productpage-v1").admin;
  while (!(await held(productpage)).includes("the-last-one")) await load.more(1);
  while (!(await settled())) await load.more(1);
  await load.stop();
  // Nothing failed anywhere in the mesh, but where a fault said so.
  const edges = Object.keys(byEdge(await demo.series(METRIC)));
  const byFault = /^source productpage-v1 \S+ 418 FI$/;
  const failed = edges.filter((edge) => !edge.endsWith(" 200 -") && !byFault.test(edge));
  expect(failed, `the demo said: ${demo.stderr}`).toEqual([]);
  expect(Object.fromEntries(load.answers), `the demo said: ${demo.stderr}`).toEqual({ 200: load.total });
  if (MINUTES > 0) process.stderr.write(`${load.total} views, ${changes} changes\n${edges.join("\n")}\n`);

  // A new control plane makes everything anew from the files; who held something else is told.
  const before = await everyoneHolds();
  const back = demo.says("pilot is back");
  process.kill(demo.summary.pilotPid, "SIGKILL");
  await back;
  while (!(await settled().catch(() => false))) await new Promise((wake) => setImmediate(wake));
  expect(await everyoneHolds()).toEqual(before);
}, 700_000);
