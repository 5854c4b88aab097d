import { envoy } from "../peers/envoy.mjs";
import { haproxy } from "../peers/haproxy.mjs";
import { mixerless } from "../peers/mixerless.mjs";
import { nginx } from "../peers/nginx.mjs";
import { undici } from "../peers/undici.mjs";
import { stopProgram } from "../process.mjs";
import { compare, cpuRounds } from "../rounds.mjs";
import { HEADERS, PEER_HEADERS } from "../traffic.mjs";

const METRIC = "cpu_us_per_request";
const ALL = { routing: true, stats: true, exchange: true, log: true };
const PLAIN = { routing: true, stats: false, exchange: false, log: false };
const WITH_PEER = [...HEADERS, ...PEER_HEADERS];

/** Forwarding and nothing else. */
export const bare = againstPeers("http1-bare", [nginx, haproxy, envoy, undici], {}, HEADERS);

/** Routing, statistics, metadata exchange and a JSON log; nginx and Envoy with an equal log, undici only forwards. */
export const telemetryLog = againstPeers("http1-telemetry-log", [nginx, envoy, undici], ALL, WITH_PEER);

/** What the statistics cost. */
export const telemetry = againstSelf("telemetry", { ...PLAIN, stats: true }, HEADERS);

/** What the metadata exchange costs: without it nobody sends the metadata either. */
export const exchange = againstSelf("exchange", { ...PLAIN, exchange: true }, WITH_PEER);

function againstPeers(row, peers, features, headers) {
  return async (bench) => {
    const there = peers.filter((peer) => peer.program !== null);
    for (const peer of peers) if (!there.includes(peer)) bench.missing(row, peer.name, METRIC);
    const subjects = [];
    for (const peer of [mixerless, ...there]) subjects.push({ subject: await bench.start(peer, features), headers });
    const [ours, ...theirs] = await cpuRounds(subjects, bench.sizes);
    for (const [i, peer] of there.entries()) bench.report(row, peer.name, METRIC, compare(ours, theirs[i]));
    await Promise.all(subjects.map(({ subject }) => stopProgram(subject.child)));
  };
}

function againstSelf(row, features, headers) {
  return async (bench) => {
    const subjects = [
      { subject: await bench.start(mixerless, features, "with"), headers },
      { subject: await bench.start(mixerless, PLAIN, "without"), headers: HEADERS },
    ];
    const [ours, theirs] = await cpuRounds(subjects, bench.sizes);
    bench.report(row, "self", METRIC, compare(ours, theirs));
    await Promise.all(subjects.map(({ subject }) => stopProgram(subject.child)));
  };
}
