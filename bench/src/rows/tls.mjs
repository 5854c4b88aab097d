import { canMakeCertificates, makeCertificates } from "../certificates.mjs";
import { client } from "../load.mjs";
import { haproxy } from "../peers/haproxy.mjs";
import { mixerless } from "../peers/mixerless.mjs";
import { nginx } from "../peers/nginx.mjs";
import { stopProgram } from "../process.mjs";
import { compare, cpuRounds } from "../rounds.mjs";
import { HEADERS } from "../traffic.mjs";
import { cpuMicroseconds } from "../usage.mjs";

const PEERS = [nginx, haproxy];

/** Forwarding what comes by TLS 1.3 over connections that stay. */
export const tlsKeepalive = row("tls-keepalive", "cpu_us_per_request", async (bench, peers, certificates) => {
  const features = { serverTls: { ...certificates.server } };
  const subjects = [];
  for (const peer of peers) subjects.push({ subject: await bench.start(peer, features), headers: HEADERS, tls: true });
  const values = await cpuRounds(subjects, bench.sizes);
  return { values, children: subjects.map(({ subject }) => subject.child) };
});

/** One connection with a full handshake and one request: nothing is resumed. */
export const tlsHandshake = row("tls-handshake", "cpu_us_per_connection", async (bench, peers, certificates) => {
  const features = { serverTls: { ...certificates.server } };
  const subjects = [];
  for (const peer of peers) subjects.push(await bench.start(peer, features));
  const requests = Math.ceil(bench.sizes.requests / 10);
  const connectAnew = (port) => client({ mode: "connect", port, requests, connections: 0, parallel: 8, tls: true });
  for (const { port } of subjects) await connectAnew(port);
  const values = subjects.map(() => []);
  for (let round = 0; round < bench.sizes.rounds; round++) {
    for (let i = 0; i < subjects.length; i++) {
      const at = (i + round) % subjects.length;
      const before = cpuMicroseconds(subjects[at].child.pid);
      await connectAnew(subjects[at].port);
      values[at].push((cpuMicroseconds(subjects[at].child.pid) - before) / requests);
    }
  }
  return { values, children: subjects.map(({ child }) => child) };
});

/** As between two sidecars: the one takes plaintext, both show certificates, the other passes plaintext on. */
export const mtlsBothHops = row("mtls-both-hops", "cpu_us_per_request", async (bench, peers, certificates) => {
  const subjects = [];
  for (const peer of peers) {
    const serverTls = { ...certificates.server, ca: certificates.ca };
    const far = await bench.start(peer, { serverTls }, `${peer.name}-far`);
    const clientTls = { ...certificates.client, ca: certificates.ca };
    const near = await bench.start(peer, { clientTls }, `${peer.name}-near`, far.port);
    subjects.push({ subject: near, also: [far], headers: HEADERS });
  }
  const values = await cpuRounds(subjects, bench.sizes);
  return { values, children: subjects.flatMap(({ subject, also }) => [subject.child, also[0].child]) };
});

function row(name, metric, measure) {
  return async (bench) => {
    const there = canMakeCertificates() ? PEERS.filter((peer) => peer.program !== null) : [];
    for (const peer of PEERS) if (!there.includes(peer)) bench.missing(name, peer.name, metric);
    if (there.length === 0) return;
    const { values, children } = await measure(bench, [mixerless, ...there], makeCertificates(bench.directory));
    const [ours, ...theirs] = values;
    for (const [i, peer] of there.entries()) bench.report(name, peer.name, metric, compare(ours, theirs[i]));
    await Promise.all(children.map(stopProgram));
  };
}
