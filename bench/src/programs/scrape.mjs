// A store of many series behind the agent's status port, as the sidecar has it; the bench scrapes it.
// Usage: node scrape.mjs PORT SERIES. With each line on standard input it prints one: the CPU in milliseconds
// and the longest stall of the event loop since the line before.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { startAdminServer } from "@mixerless/admin-server";
import { SystemClock } from "@mixerless/clock";
import { MetricStore, negotiate } from "@mixerless/metrics";

const [port, count] = process.argv.slice(2).map(Number);
// About 650 bytes a series, as Istio's have.
const LABELS = 20;
const TICK = 1;

const store = new MetricStore({ clock: new SystemClock(), defaultBudget: count });
const names = Array.from({ length: LABELS }, (_, i) => `destination_label_number_${i}`);
const counters = store.counter({ name: "istio_requests_total" });
const handles = [];
for (let i = 0; i < count; i++) {
  const values = names.map((_, at) => (at === 0 ? `workload-${i}` : `value-${i % 97}`));
  const counter = counters.series(names, values);
  counter.add(i + 1);
  handles.push(counter);
}

const metrics = {
  path: "/stats/prometheus",
  help: "series",
  mutates: false,
  handle: (_query, request) => {
    const format = negotiate(request.headers.accept);
    return { body: store.expose({ format }), contentType: format.contentType };
  },
};
await startAdminServer({ ip: "127.0.0.1", port }, [metrics]);

// A stall is what the main thread computed between two turns of its loop, in CPU time: what the neighbours of
// the bench take of the CPU is no stall of ours. Collecting garbage on this thread is part of it.
const TASK = `/proc/self/task/${process.pid}/schedstat`;
const computed = () => Number(readFileSync(TASK, "latin1").split(" ")[0]) / 1e6;

let worst = 0;
let last = computed();
const turn = () => {
  const now = computed();
  worst = Math.max(worst, now - last);
  last = now;
};
setInterval(turn, TICK);

let before = process.cpuUsage();
for await (const _ of createInterface({ input: process.stdin })) {
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(`${JSON.stringify({ cpu: (user + system) / 1000, stall: worst })}\n`);
  before = process.cpuUsage();
  worst = 0;
  last = computed();
}
process.exit(0);
