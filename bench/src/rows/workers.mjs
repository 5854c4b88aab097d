import { client } from "../load.mjs";
import { mixerless } from "../peers/mixerless.mjs";
import { stopProgram } from "../process.mjs";
import { compare } from "../rounds.mjs";
import { cpuMicroseconds } from "../usage.mjs";

const FEATURES = { routing: true, stats: true };

/** What a connection with one request costs two workers under a primary, beside one process that does it all. */
export async function workers(bench) {
  const two = await bench.start(mixerless, { ...FEATURES, concurrency: 2 }, "two-workers");
  const one = await bench.start(mixerless, { ...FEATURES, concurrency: 1 }, "one-process");
  const subjects = [two, one];
  const requests = Math.ceil(bench.sizes.requests / 4);
  for (const subject of subjects) await connect(subject, bench.sizes.warmup / 4);
  const values = subjects.map(() => []);
  for (let round = 0; round < bench.sizes.rounds; round++) {
    for (let i = 0; i < subjects.length; i++) {
      const at = (i + round) % subjects.length;
      const before = cpuMicroseconds(subjects[at].child.pid);
      await connect(subjects[at], requests);
      values[at].push((cpuMicroseconds(subjects[at].child.pid) - before) / requests);
    }
  }
  bench.report("workers", "self", "cpu_us_per_connection", compare(values[0], values[1]));
  await Promise.all(subjects.map(({ child }) => stopProgram(child)));
}

function connect({ port }, requests) {
  return client({ mode: "connect", port, requests, connections: 0, parallel: 32 });
}
