import { client } from "../load.mjs";
import { mixerless } from "../peers/mixerless.mjs";
import { nginx } from "../peers/nginx.mjs";
import { stopProgram } from "../process.mjs";
import { median } from "../rounds.mjs";

const METRIC = "added_p50_us";
const RATE = 2000;
const BURST = 16;

/**
 * What a proxy adds to the median latency at 2,000 requests a second in bursts of 16: less the direct way's. The
 * backend shares the proxy's CPU, as a sidecar's application does: beside the client it would be the direct way that
 * pays for sharing, and what a proxy adds would drown in it.
 */
export async function latency(bench) {
  if (nginx.program === null) {
    bench.missing("latency", "nginx", METRIC);
    return;
  }
  const backend = await bench.startBackendBeside();
  const ours = await bench.start(mixerless, { routing: true }, "latency", backend.port);
  const theirs = await bench.start(nginx, {}, "nginx", backend.port);
  const ports = [backend.port, ours.port, theirs.port];
  for (const port of ports) await bursts(port, 2000);
  const rounds = [];
  for (let round = 0; round < bench.sizes.rounds; round++) {
    const p50 = [0, 0, 0];
    for (let i = 0; i < ports.length; i++) {
      const at = (i + round) % ports.length;
      p50[at] = (await bursts(ports[at], bench.sizes.latencyRequests)).p50;
    }
    rounds.push(p50);
  }
  const added = (at) => rounds.map((p50) => Math.max(1, p50[at] - p50[0]));
  const ratio = median(added(1).map((value, i) => value / added(2)[i]));
  bench.report("latency", "nginx", METRIC, { ours: median(added(1)), theirs: median(added(2)), ratio });
  await Promise.all([ours, theirs, backend].map(({ child }) => stopProgram(child)));
}

function bursts(port, requests) {
  return client({ mode: "bursts", port, requests, connections: 64, burst: BURST, rate: RATE });
}
