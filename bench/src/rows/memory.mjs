import { setTimeout as sleep } from "node:timers/promises";
import { load, openIdle } from "../load.mjs";
import { haproxy } from "../peers/haproxy.mjs";
import { mixerless } from "../peers/mixerless.mjs";
import { nginx } from "../peers/nginx.mjs";
import { undici } from "../peers/undici.mjs";
import { stopProgram } from "../process.mjs";
import { residentMegabytes } from "../usage.mjs";

const BASE = "rss_mb";
const IDLE = "rss_mb_per_1000_idle";
const CONNECTIONS = 2000;
const SETTLE = 1500;

/** Resident memory after a thousand requests, and what idle keep-alive connections add, each after one request. */
export async function memory(bench) {
  const features = { routing: true, stats: true, exchange: true, log: true };
  const ours = await measure(bench, mixerless, features);
  bench.reportAbsolute("memory", BASE, ours.base);
  bench.reportAbsolute("memory", IDLE, ours.idle);
  for (const peer of [nginx, haproxy, undici]) {
    if (peer.program === null) {
      bench.missing("memory", peer.name, BASE);
      bench.missing("memory", peer.name, IDLE);
      continue;
    }
    const theirs = await measure(bench, peer, features);
    bench.reportPair("memory", peer.name, BASE, ours.base, theirs.base);
    bench.reportPair("memory", peer.name, IDLE, ours.idle, theirs.idle);
  }
}

async function measure(bench, peer, features) {
  const { child, port } = await bench.start(peer, features, `${peer.name}-memory`);
  await load(port, { requests: 1000, connections: 8 });
  await sleep(SETTLE);
  const base = residentMegabytes(child.pid);
  const clients = await openIdle(port, CONNECTIONS);
  await sleep(SETTLE);
  const idle = ((residentMegabytes(child.pid) - base) / CONNECTIONS) * 1000;
  await stopProgram(clients);
  await stopProgram(child);
  return { base, idle };
}
