import type { Exemplar, ParseFault, ParseFaultCode, Sample } from "./exposition.ts";
import { parseTimestamp, parseValue } from "./exposition-value.ts";
import type { Interner } from "./interner.ts";

/** A fault in a line; the reader of lines adds its number. */
export type LineFault = Omit<ParseFault, "line">;

type Labels = Record<string, string>;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\", '"': '"', n: "\n" };
const NO_LABELS: Readonly<Labels> = Object.freeze(Object.create(null));

/** Reads lines with a sample, in either format. */
export class SampleReader {
  readonly #text: string;
  readonly #openMetrics: boolean;
  readonly #lenient: boolean;
  readonly #maxLabels: number;
  readonly #strings: Interner;
  #start = 0;
  #at = 0;
  #end = 0;
  #fault: LineFault | null = null;

  constructor(text: string, strings: Interner, openMetrics: boolean, lenient: boolean, maxLabels: number) {
    this.#text = text;
    this.#strings = strings;
    this.#openMetrics = openMetrics;
    this.#lenient = lenient;
    this.#maxLabels = maxLabels;
  }

  /** The sample of the line that is text[start, end), or what is wrong with it. */
  read(start: number, end: number): Sample | LineFault {
    this.#start = start;
    this.#at = start;
    this.#end = end;
    this.#fault = null;
    const sample = this.#sample();
    return sample ?? this.#fault ?? this.#newFault("unexpected_text", "This is no sample.");
  }

  #sample(): Sample | null {
    this.#skipBlanks();
    const name = this.#name(true);
    if (name === null) return this.#fail("bad_name", "A sample begins with the name of a metric.");
    this.#skipBlanks();
    const labels = this.#labels();
    if (labels === null) return null;
    const value = parseValue(this.#token());
    if (value === null) return this.#fail("bad_value", "A number belongs here.");
    const timestamp = this.#timestamp();
    if (timestamp === undefined) return null;
    const exemplar = this.#exemplar();
    if (exemplar === undefined) return null;
    if (this.#at < this.#end) return this.#fail("unexpected_text", "The sample should have ended here.");
    return { name, labels, value, timestamp, exemplar };
  }

  /** Null after a fault. */
  #labels(): Readonly<Labels> | null {
    if (this.#text[this.#at] !== "{" || this.#at >= this.#end) return NO_LABELS;
    this.#at++;
    const labels: Labels = Object.create(null);
    for (let count = 0; ; count++) {
      this.#skipBlanks();
      if (this.#take("}")) return labels;
      if (count > 0 && !this.#take(",")) return this.#fail("bad_label", 'A "," or "}" belongs here.');
      this.#skipBlanks();
      if (this.#take("}")) return labels;
      if (count >= this.#maxLabels) return this.#fail("too_many_labels", `More than ${this.#maxLabels} labels.`);
      if (!this.#label(labels)) return null;
    }
  }

  #label(labels: Labels): boolean {
    const name = this.#name(false);
    if (name === null) return this.#failed("bad_label", "The name of a label belongs here.");
    if (name in labels) return this.#failed("repeated_label", `The label ${name} comes twice.`);
    this.#skipBlanks();
    if (!this.#take("=")) return this.#failed("bad_label", 'A "=" belongs here.');
    this.#skipBlanks();
    const value = this.#quoted();
    if (value === null) return false;
    labels[name] = value;
    return true;
  }

  #quoted(): string | null {
    const text = this.#text;
    if (text.charCodeAt(this.#at) !== QUOTE || this.#at >= this.#end) {
      return this.#fail("bad_label", "A value in double quotes belongs here.");
    }
    const start = this.#at + 1;
    let escaped = false;
    let at = start;
    for (; at < this.#end; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) break;
      if (code !== BACKSLASH) continue;
      escaped = true;
      at++;
    }
    if (at >= this.#end) return this.#fail("bad_label", "The value has no closing quote.");
    this.#at = at + 1;
    const raw = text.slice(start, at);
    return escaped ? this.#unescape(raw) : this.#strings.take(raw);
  }

  #unescape(raw: string): string | null {
    let good = true;
    const value = raw.replace(/\\(.)/gsu, (sequence, char: string) => {
      const plain = ESCAPES[char];
      if (plain === undefined && !this.#lenient) good = false;
      return plain ?? sequence;
    });
    return good ? this.#strings.take(value) : this.#fail("bad_label", 'Only \\\\, \\" and \\n can be escaped.');
  }

  /** Null: there is none. Undefined: there is something else. */
  #timestamp(): number | null | undefined {
    this.#skipBlanks();
    if (this.#at >= this.#end || this.#text[this.#at] === "#") return null;
    const timestamp = parseTimestamp(this.#token(), this.#openMetrics);
    if (timestamp === null) this.#fail("bad_timestamp", "A time stamp belongs here, or the end of the line.");
    return timestamp ?? undefined;
  }

  /** Null: there is none. Undefined: it can't be read. */
  #exemplar(): Exemplar | null | undefined {
    this.#skipBlanks();
    if (!this.#openMetrics || !this.#take("#")) return null;
    this.#skipBlanks();
    const labels = this.#labels();
    if (labels === null) return undefined;
    const value = parseValue(this.#token());
    if (value === null || labels === NO_LABELS) {
      this.#fail("bad_exemplar", 'An exemplar is written "# {labels} value time".');
      return undefined;
    }
    const timestamp = this.#timestamp();
    if (timestamp === undefined) return undefined;
    this.#skipBlanks();
    return { labels, value, timestamp };
  }

  /** A metric's name may have colons. */
  #name(metric: boolean): string | null {
    const start = this.#at;
    let at = start;
    while (at < this.#end && isNameChar(this.#text.charCodeAt(at), metric, at > start)) at++;
    if (at === start) return null;
    this.#at = at;
    return this.#strings.take(this.#text.slice(start, at));
  }

  #token(): string {
    this.#skipBlanks();
    const start = this.#at;
    while (this.#at < this.#end && !isBlank(this.#text.charCodeAt(this.#at))) this.#at++;
    return this.#text.slice(start, this.#at);
  }

  #take(char: string): boolean {
    if (this.#at >= this.#end || this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #skipBlanks(): void {
    while (this.#at < this.#end && isBlank(this.#text.charCodeAt(this.#at))) this.#at++;
  }

  #fail(code: ParseFaultCode, message: string): null {
    this.#fault ??= this.#newFault(code, message);
    return null;
  }

  #failed(code: ParseFaultCode, message: string): false {
    this.#fail(code, message);
    return false;
  }

  #newFault(code: ParseFaultCode, message: string): LineFault {
    return { code, column: this.#at - this.#start + 1, message };
  }
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function isNameChar(code: number, metric: boolean, digits: boolean): boolean {
  const letter = (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;
  return letter || code === 0x5f || (digits && code >= 0x30 && code <= 0x39) || (metric && code === 0x3a);
}
