// The demo for a long time at a modest rate while its configuration changes: no page may fail, each edge's
// counts must equal the ledger, memory must stay flat. By hand, for example
//   node scripts/soak.mjs --duration 60 --rate 20 --every 10
// (minutes, page views a second, seconds between changes). The short form is churn.test.ts of mixerless.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { Agent, get } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { parseExposition } from "@mixerless/metrics";

const { values: flags } = parseArgs({
  options: {
    duration: { type: "string", default: "60" },
    rate: { type: "string", default: "20" },
    every: { type: "string", default: "10" },
  },
});
const [minutes, rate, every] = [flags.duration, flags.rate, flags.every].map(Number);
if (![minutes, rate, every].every((value) => value > 0)) throw new Error("Give numbers above 0.");

const command = fileURLToPath(new URL("../packages/mixerless/bin/mixerless.js", import.meta.url));
const demo = spawn(process.execPath, [command, "demo", "--json", "--no-console", "--no-traffic", "--reviews", "v1"], {
  stdio: ["ignore", "pipe", "inherit"],
});
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    demo.kill("SIGTERM");
    process.exit(1);
  });
}
const [line] = await once(createInterface({ input: demo.stdout }), "line");
const summary = JSON.parse(line);
const agent = new Agent({ keepAlive: true });

function fetchPage(url) {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode, body }));
      response.on("error", reject);
    }).on("error", reject);
  });
}

/** `reporter source destination code flags` → requests, over all sidecars; reviews as one, but for v2, which has none. */
async function edges() {
  const sums = {};
  for (const { name, prometheus } of summary.workloads) {
    const { samples } = parseExposition((await fetchPage(prometheus)).body);
    if (samples === undefined) throw new Error(`${name} has series that do not parse`);
    for (const { name: metric, labels, value } of samples) {
      if (metric !== "istio_requests_total") continue;
      const { reporter, source_workload, destination_workload, response_code, response_flags } = labels;
      const to = destination_workload.replace(/^(reviews)-v[13]$/, "$1");
      const key = `${reporter} ${source_workload} ${to} ${response_code} ${response_flags}`;
      sums[key] = (sums[key] ?? 0) + value;
    }
  }
  return sums;
}

/** Process → resident memory in MiB. */
async function memory() {
  const found = {};
  const pids = [["pilot", summary.pilotPid], ...summary.workloads.map(({ name, pid }) => [name, pid])];
  for (const [name, pid] of pids) {
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    found[name] = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  }
  return found;
}

const networking = "apiVersion: networking.istio.io/v1";
const CHANGES = [
  async (n) => {
    const first = (n * 7) % 101;
    await file(
      "reviews.yaml",
      `${networking}\nkind: VirtualService\nmetadata: { name: reviews, namespace: default }\nspec:\n  hosts: [reviews]\n  http:\n    - route:\n        - { destination: { host: reviews, subset: v1 }, weight: ${first} }\n        - { destination: { host: reviews, subset: v3 }, weight: ${100 - first} }\n`,
    );
  },
  async (n) => {
    await file(
      "soak-route.yaml",
      `${networking}\nkind: VirtualService\nmetadata: { name: details, namespace: default }\nspec:\n  hosts: [details]\n  http:\n    - match: [{ uri: { prefix: /soak-${n} } }]\n      route: [{ destination: { host: details } }]\n    - route: [{ destination: { host: details } }]\n`,
    );
  },
  async (n) => {
    const [ip] = summary.ingress.replace("http://", "").split(":");
    await file(
      "soak-listener.yaml",
      `${networking}\nkind: Gateway\nmetadata: { name: soak, namespace: default }\nspec:\n  selector: { istio: ingressgateway }\n  servers:\n    - { port: { number: ${9000 + (n % 50)}, name: http, protocol: HTTP }, bind: ${ip}, hosts: ["*"] }\n`,
    );
  },
  async (n) => {
    const details = summary.workloads.find(({ name }) => name === "details-v1");
    const [address, port] = details.inbound.split(":");
    await file(
      "soak-endpoint.yaml",
      `${networking}\nkind: WorkloadEntry\nmetadata: { name: details-soak, namespace: default, labels: { app: details, version: v1, security.istio.io/tlsMode: istio } }\nspec: { address: ${address}, ports: { http: ${port} }, serviceAccount: bookinfo-details, labels: { app: details, version: v1, security.istio.io/tlsMode: istio }, weight: ${1 + (n % 5)} }\n`,
    );
  },
];

async function file(name, content) {
  await writeFile(join(summary.config, name), content);
}

const before = await edges();
const ledger = {};
const pending = new Set();
const history = [];
const end = performance.now() + minutes * 60_000;
let [changes, nextChange, nextReport] = [0, performance.now() + every * 1000, performance.now()];
while (performance.now() < end) {
  const view = fetchPage(`${summary.ingress}/productpage`).then(
    ({ status }) => status,
    (error) => `error ${error.message}`,
  );
  pending.add(view);
  void view.then((outcome) => {
    ledger[outcome] = (ledger[outcome] ?? 0) + 1;
    pending.delete(view);
  });
  if (performance.now() >= nextChange) {
    nextChange += every * 1000;
    await CHANGES[changes % CHANGES.length](changes);
    changes++;
  }
  if (performance.now() >= nextReport) {
    nextReport += 60_000;
    history.push(await memory());
    const sizes = Object.entries(history.at(-1)).map(([name, size]) => `${name} ${size.toFixed(1)}`);
    console.log(`${JSON.stringify(ledger)}, ${changes} changes; MiB: ${sizes.join(", ")}`);
  }
  await pause(1000 / rate);
}
await Promise.all(pending);

const views = Object.values(ledger).reduce((sum, count) => sum + count, 0);
const expected = ["istio-ingressgateway productpage-v1", "productpage-v1 details-v1", "productpage-v1 reviews"];
let after = await edges();
const grown = (key) => (after[key] ?? 0) - (before[key] ?? 0);
for (let tries = 0; tries < 20 && grown(`destination ${expected[2]} 200 -`) < views; tries++) {
  await pause(100);
  after = await edges();
}
let wrong = (ledger[200] ?? 0) === views ? 0 : 1;
for (const edge of expected) {
  for (const reporter of ["source", "destination"]) {
    const count = grown(`${reporter} ${edge} 200 -`);
    if (count !== views) wrong++;
    console.log(`${reporter} ${edge}: ${count} of ${views}`);
  }
}
const known = [...expected, "reviews-v3 ratings-v1"].flatMap((edge) => [
  `source ${edge} 200 -`,
  `destination ${edge} 200 -`,
]);
const others = Object.keys(after).filter((key) => !known.includes(key) && grown(key) > 0);
wrong += others.length;
history.push(await memory());
for (const [name, last] of Object.entries(history.at(-1))) {
  const quarter = history[Math.floor(history.length / 4)][name];
  console.log(`${name}: ${quarter.toFixed(1)} MiB after a quarter, ${last.toFixed(1)} MiB at the end`);
}
console.log(`${views} page views, ${changes} changes, other series: ${others.join("; ") || "none"}`);
demo.kill("SIGTERM");
if (demo.exitCode === null) await once(demo, "exit");
process.exit(wrong === 0 ? 0 : 1);
