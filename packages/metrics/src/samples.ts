import type { Sample } from "./exposition.ts";
import { escapeLabelValue } from "./label-set.ts";

/**
 * The series that a sample belongs to, as one string: the name and the labels sorted by name, those
 * without a value left out, as Prometheus identifies it.
 */
export function sampleKey(name: string, labels: Readonly<Record<string, string>>): string {
  const present = Object.keys(labels).filter((label) => labels[label] !== "");
  const pairs = present.sort().map((label) => `${label}="${escapeLabelValue(labels[label] ?? "")}"`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(",")}}`;
}

/** Samples of this name whose labels have these values; a label that is missing has the value "". */
export function findSamples(
  samples: readonly Sample[],
  name: string,
  matchLabels: Readonly<Record<string, string | RegExp>> = {},
): Sample[] {
  const matchers = Object.entries(matchLabels);
  return samples.filter(
    (sample) =>
      sample.name === name && matchers.every(([label, wanted]) => matches(sample.labels[label] ?? "", wanted)),
  );
}

/** The sum of the values of {@link findSamples}; 0 if there are none. */
export function sumSamples(
  samples: readonly Sample[],
  name: string,
  matchLabels: Readonly<Record<string, string | RegExp>> = {},
): number {
  return findSamples(samples, name, matchLabels).reduce((sum, sample) => sum + sample.value, 0);
}

function matches(value: string, wanted: string | RegExp): boolean {
  return typeof wanted === "string" ? value === wanted : wanted.test(value);
}
