import { load } from "./load.mjs";
import { cpuMicroseconds } from "./usage.mjs";

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * CPU microseconds per request of each subject, one value a round. The subjects take turns within a round, each
 * round in another order, so that what the neighbours do to the machine is done to all.
 */
export async function cpuRounds(subjects, { rounds, requests, warmup }) {
  for (const { subject, headers } of subjects) await load(subject.port, { requests: warmup, headers });
  const values = subjects.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < subjects.length; i++) {
      const at = (i + round) % subjects.length;
      values[at].push(await cpuPerRequest(subjects[at], requests));
    }
  }
  return values;
}

async function cpuPerRequest({ subject, headers }, requests) {
  const before = cpuMicroseconds(subject.child.pid);
  await load(subject.port, { requests, headers });
  return (cpuMicroseconds(subject.child.pid) - before) / requests;
}

/** Two medians, and the median of the pairs' ratios. */
export function compare(ours, theirs) {
  const ratio = median(ours.map((value, i) => value / theirs[i]));
  return { ours: median(ours), theirs: median(theirs), ratio };
}
