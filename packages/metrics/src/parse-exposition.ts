import type { Exposition, ExpositionFaults, ParseFault, ParseFaultCode, Sample } from "./exposition.ts";
import { FamilyBuilder, type OpenFamily, sampleType } from "./family-builder.ts";
import { Interner } from "./interner.ts";
import { isMetricName } from "./names.ts";
import { SampleReader } from "./sample-reader.ts";

export interface ParseOptions {
  /** Default: OpenMetrics if the text ends in `# EOF`. */
  readonly format?: "text" | "openmetrics";
  /**
   * Reads what the Prometheus server reads: families in several pieces, repeated or late metadata,
   * unknown escapes. Default false. Such texts come from two bodies put behind one another.
   */
  readonly lenient?: boolean;
  /** Characters. Default 128 Mi. */
  readonly maxLength?: number;
  /** Default 1,000,000. */
  readonly maxSamples?: number;
  /** Labels of one sample. Default 128. */
  readonly maxLabels?: number;
}

const MAX_LENGTH = 134_217_728;
const MAX_SAMPLES = 1_000_000;
const MAX_LABELS = 128;
/** After these the rest isn't read. */
const MAX_FAULTS = 20;

const METADATA = /^#[ \t]+(TYPE|HELP|UNIT)[ \t]+([^ \t]+)(?:[ \t](.*))?$/s;
const MESSAGES: Partial<Record<ParseFaultCode, string>> = {
  repeated_metadata: "This metric was described already. Two bodies may have been put behind one another.",
  late_metadata: "A metric is described before its samples.",
  split_family: "The samples of a metric stand together. Two bodies may have been put behind one another.",
};

/** Reads a text in the Prometheus text format 0.0.4 or in OpenMetrics 1.0. Never throws. */
export function parseExposition(text: string, options: ParseOptions = {}): Exposition | ExpositionFaults {
  const maxLength = options.maxLength ?? MAX_LENGTH;
  if (text.length > maxLength) {
    const message = `The text has ${text.length} characters; more than ${maxLength} are not read.`;
    return { faults: [{ code: "exposition_too_large", line: 1, column: 1, message }] };
  }
  return new ExpositionParser(text, options).parse();
}

class ExpositionParser {
  readonly #text: string;
  readonly #openMetrics: boolean;
  readonly #lenient: boolean;
  readonly #maxSamples: number;
  readonly #reader: SampleReader;
  readonly #builder = new FamilyBuilder();
  readonly #samples: Sample[] = [];
  readonly #faults: ParseFault[] = [];
  #line = 0;
  #ended = false;
  #stopped = false;

  constructor(text: string, options: ParseOptions) {
    this.#text = text;
    this.#openMetrics =
      (options.format ?? (/(^|\n)# EOF\r?\n?$/.test(text.slice(-10)) ? "openmetrics" : "text")) === "openmetrics";
    this.#lenient = options.lenient ?? false;
    this.#maxSamples = options.maxSamples ?? MAX_SAMPLES;
    const maxLabels = options.maxLabels ?? MAX_LABELS;
    this.#reader = new SampleReader(text, new Interner(), this.#openMetrics, this.#lenient, maxLabels);
  }

  parse(): Exposition | ExpositionFaults {
    const { length } = this.#text;
    for (let start = 0; start < length && !this.#stopped; ) {
      const feed = this.#text.indexOf("\n", start);
      const end = feed < 0 ? length : feed;
      this.#line++;
      this.#readLine(start, end);
      start = end + 1;
    }
    if (this.#openMetrics && !this.#ended)
      this.#fail("missing_eof", 1, "OpenMetrics ends in a line `# EOF`: the text may have been cut off.");
    if (this.#faults.length > 0) return { faults: this.#faults };
    const format = this.#openMetrics ? "openmetrics" : "text";
    return { format, families: this.#builder.families, samples: this.#samples };
  }

  #readLine(start: number, end: number): void {
    if (this.#ended) this.#fail("unexpected_text", 1, "Nothing can follow `# EOF`.");
    else if (start === end && this.#openMetrics) this.#fail("unexpected_text", 1, "OpenMetrics has no empty lines.");
    else {
      const first = this.#openMetrics ? start : this.#skipBlanks(start, end);
      if (first === end) return;
      if (this.#text[first] === "#") this.#readComment(this.#text.slice(first, end));
      else this.#readSample(start, end);
    }
  }

  #skipBlanks(start: number, end: number): number {
    let at = start;
    while (at < end && (this.#text[at] === " " || this.#text[at] === "\t")) at++;
    return at;
  }

  #readSample(start: number, end: number): void {
    const sample = this.#reader.read(start, end);
    if ("code" in sample) {
      this.#fail(sample.code, sample.column, sample.message);
      return;
    }
    if (this.#samples.length >= this.#maxSamples) {
      this.#fail("too_many_samples", 1, `More than ${this.#maxSamples} samples.`);
      this.#stopped = true;
      return;
    }
    this.#samples.push(sample);
    this.#check(this.#builder.add(sample));
  }

  #readComment(line: string): void {
    if (this.#openMetrics && line.trimEnd() === "# EOF") {
      this.#ended = true;
      return;
    }
    const [, keyword = "", name = "", rest = ""] = METADATA.exec(line) ?? [];
    if (keyword === "" || (keyword === "UNIT" && !this.#openMetrics)) {
      if (this.#openMetrics) this.#fail("bad_metadata", 1, "OpenMetrics has no comments but HELP, TYPE, UNIT and EOF.");
      return;
    }
    if (!isMetricName(name)) this.#fail("bad_name", 1, "The name of a metric belongs behind the keyword.");
    else this.#describe(keyword, name, rest);
  }

  #describe(keyword: string, name: string, rest: string): void {
    const described = this.#builder.describe(name, keyword);
    if (typeof described !== "string") {
      this.#fill(described, keyword, rest);
      return;
    }
    if (this.#lenient) this.#fill(this.#builder.describeAnyway(name), keyword, rest);
    else this.#check(described);
  }

  #fill(family: OpenFamily, keyword: string, rest: string): void {
    if (keyword === "HELP") family.help = unescapeHelp(rest, this.#openMetrics);
    if (keyword === "UNIT") family.unit = rest.trim();
    if (keyword !== "TYPE") return;
    const type = sampleType(rest.trim());
    if (type === null) this.#fail("bad_metadata", 1, `"${rest.slice(0, 50)}" is no type of metric.`);
    else family.type = type;
  }

  #check(code: ParseFaultCode | null): void {
    if (code !== null && !this.#lenient) this.#fail(code, 1, MESSAGES[code] ?? code);
  }

  #fail(code: ParseFaultCode, column: number, message: string): void {
    this.#faults.push({ code, line: this.#line, column, message });
    this.#stopped ||= this.#faults.length >= MAX_FAULTS;
  }
}

function unescapeHelp(help: string, openMetrics: boolean): string {
  return help.replace(openMetrics ? /\\([\\n"])/g : /\\([\\n])/g, (_, char: string) => (char === "n" ? "\n" : char));
}
