import type { ParseFaultCode, Sample, SampleFamily, SampleType } from "./exposition.ts";

/** A family that is being read. */
export interface OpenFamily extends SampleFamily {
  type: SampleType;
  help: string;
  unit: string;
  readonly samples: Sample[];
  /** Which of TYPE, HELP and UNIT were seen. */
  readonly seen: Set<string>;
}

const TYPES: ReadonlySet<string> = new Set<SampleType>([
  "counter",
  "gauge",
  "histogram",
  "summary",
  "unknown",
  "gaugehistogram",
  "info",
  "stateset",
]);

/** What the samples of a family may have behind its name. */
const SUFFIXES: Readonly<Record<SampleType, readonly string[]>> = {
  counter: ["_total", "_created"],
  gauge: [],
  histogram: ["_bucket", "_sum", "_count", "_created"],
  summary: ["_sum", "_count", "_created"],
  unknown: [],
  gaugehistogram: ["_bucket", "_gsum", "_gcount"],
  info: ["_info"],
  stateset: [],
};

/** The type that a TYPE line names, or null. */
export function sampleType(word: string): SampleType | null {
  if (word === "untyped") return "unknown";
  return TYPES.has(word) ? (word as SampleType) : null;
}

/** Sorts samples into the families that the metadata lines declare. */
export class FamilyBuilder {
  readonly families = new Map<string, OpenFamily>();
  #current: OpenFamily | null = null;

  /** Puts a sample into its family. Returns a fault if the family's samples are not in one piece. */
  add(sample: Sample): ParseFaultCode | null {
    const family = this.#familyOf(sample.name);
    const split = family !== this.#current && family.samples.length > 0;
    family.samples.push(sample);
    this.#current = family;
    return split ? "split_family" : null;
  }

  /** Begins or goes on with the metadata of a family. Returns a fault if it comes twice or too late. */
  describe(name: string, keyword: string): OpenFamily | ParseFaultCode {
    const family = this.#open(name);
    if (family.seen.has(keyword)) return "repeated_metadata";
    if (family.samples.length > 0) return "late_metadata";
    family.seen.add(keyword);
    return family;
  }

  /** As {@link describe}, without asking whether it is in order. */
  describeAnyway(name: string): OpenFamily {
    return this.#open(name);
  }

  #familyOf(name: string): OpenFamily {
    if (this.#current !== null && owns(this.#current, name)) return this.#current;
    const exact = this.families.get(name);
    if (exact !== undefined) return exact;
    const base = this.families.get(name.slice(0, name.lastIndexOf("_")));
    return base !== undefined && owns(base, name) ? base : this.#open(name);
  }

  #open(name: string): OpenFamily {
    let family = this.families.get(name);
    if (family === undefined) {
      family = { name, type: "unknown", help: "", unit: "", samples: [], seen: new Set() };
      this.families.set(name, family);
    }
    return family;
  }
}

function owns(family: OpenFamily, name: string): boolean {
  if (name === family.name) return true;
  return name.startsWith(family.name) && SUFFIXES[family.type].includes(name.slice(family.name.length));
}
