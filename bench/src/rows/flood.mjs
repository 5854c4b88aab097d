import { once } from "node:events";
import { readFileSync } from "node:fs";
import { get } from "node:http";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { client, load } from "../load.mjs";
import { mixerless } from "../peers/mixerless.mjs";
import { stopProgram } from "../process.mjs";
import { residentMegabytes } from "../usage.mjs";

const SETTLE = 1500;

/**
 * Made-up Hosts, paths and peers, all valid and all different: how many series the largest metric has, how many
 * registrations overflowed, and what memory grew by, with what waits to be collected and without. Throws if a request
 * wasn't counted at all.
 */
export async function flood(bench) {
  const admin = bench.nextPort();
  const features = { routing: true, stats: true, exchange: true, log: true, hostFallback: true, admin };
  const { child, port, output } = await bench.start(mixerless, features, "flood");
  await load(port, { requests: bench.sizes.warmup });
  await sleep(SETTLE);
  const before = residentMegabytes(child.pid);
  const requests = bench.sizes.flood;
  const liveBefore = await liveMegabytes(child, output);
  const grown = [];
  const live = [];
  for (const first of [0, requests / 2]) {
    await client({ mode: "flood", port, requests: requests / 2, connections: 32, first });
    await sleep(SETTLE);
    grown.push(residentMegabytes(child.pid) - before);
    live.push((await liveMegabytes(child, output)) - liveBefore);
  }
  const found = await scrape(admin);
  const expected = requests + bench.sizes.warmup;
  if (found.requests !== expected) throw new Error(`${expected} requests were sent, ${found.requests} counted`);
  bench.reportAbsolute("flood", "largest_metric_series", found.series);
  bench.reportAbsolute("flood", "overflowed_registrations", found.overflowed);
  bench.reportAbsolute("flood", "rss_mb_growth", grown[1]);
  bench.reportAbsolute("flood", "live_mb_growth", live[1]);
  bench.reportAbsolute("flood", "live_mb_second_half", live[1] - live[0]);
  await stopProgram(child);
}

/** What the proxy holds after a collection. It prints a line when it is asked by a signal. */
async function liveMegabytes(child, output) {
  const lines = () => [...readFileSync(output, "utf8").matchAll(/^live (\S+)$/gm)];
  const known = lines().length;
  child.kill("SIGUSR2");
  for (let i = 0; i < 100 && lines().length === known; i++) await sleep(50);
  const line = lines()[known];
  if (line === undefined) throw new Error("the proxy did not say what it holds");
  return Number(line[1]);
}

/** Line by line: the whole page is longer than a string may be. */
async function scrape(admin) {
  const [response] = await once(get(`http://127.0.0.1:${admin}/stats/prometheus`), "response");
  const found = { requests: 0, series: 0, overflowed: 0 };
  for await (const line of createInterface({ input: response })) {
    const counted = line.startsWith("istio_requests_total{");
    if (!counted && !line.startsWith("mixerless_series_overflow_total{")) continue;
    const value = Number(line.slice(line.lastIndexOf(" ") + 1));
    if (counted) {
      found.requests += value;
      found.series++;
    } else {
      found.overflowed += value;
    }
  }
  return found;
}
