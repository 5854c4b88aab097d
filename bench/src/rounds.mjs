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
  for (const { subject, headers, tls } of subjects) await load(subject.port, { requests: warmup, headers, tls });
  const values = subjects.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < subjects.length; i++) {
      const at = (i + round) % subjects.length;
      values[at].push(await cpuPerRequest(subjects[at], requests));
    }
  }
  return values;
}

/** `also`: others on the way, whose CPU counts too. */
async function cpuPerRequest({ subject, also = [], headers, tls }, requests) {
  const used = () => [subject, ...also].reduce((sum, { child }) => sum + cpuMicroseconds(child.pid), 0);
  const before = used();
  await load(subject.port, { requests, headers, tls });
  return (used() - before) / requests;
}

/** Two medians, and the median of the pairs' ratios. */
export function compare(ours, theirs) {
  const ratio = median(ours.map((value, i) => value / theirs[i]));
  return { ours: median(ours), theirs: median(theirs), ratio };
}
