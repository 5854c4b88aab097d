import { type FieldSink, writeField } from "./field-sink.ts";
import { type CheckedFieldValue, parseDecimal, readDecimal, safeFieldValue, safePseudoValue } from "./field-value.ts";
import { H, HeaderName } from "./header-name.ts";

/**
 * A codec's table of received fields: STRIDE integers for each, offsets from the first byte of the
 * message. Regular fields lie in the bytes as `name: value CRLF`, names in lower case.
 */
export const FieldTable = {
  STRIDE: 4,
  /** HeaderName.id, UNKNOWN or DROPPED. */
  ID: 0,
  /** -1 for a pseudo-header, whose name does not lie in the bytes. */
  NAME_START: 1,
  VALUE_START: 2,
  /** Or one of the values below, none of which is an offset. */
  VALUE_END: 3,

  UNKNOWN: -1,
  DROPPED: -2,
  /** The value was replaced by a string. */
  REPLACED: -1,
  /** The value is "http" or "https", which lies nowhere in the bytes. */
  HTTP: -2,
  HTTPS: -3,
} as const;

const { STRIDE, NAME_START, VALUE_START, VALUE_END, UNKNOWN, DROPPED, REPLACED, HTTPS } = FieldTable;

const NO_BYTES = Buffer.alloc(0);
const NO_TABLE = new Int32Array(0);

/**
 * The header section of one message, pseudo-headers included (`:method`, `:path`, `:authority`,
 * `:scheme`, `:status`). Values are byte strings: one char is one byte, so nothing is lost or
 * invented by decoding. Names are lower case. Order is kept. `host` is another name for `:authority`.
 *
 * A received section stays in its bytes: values become strings when they are asked for, edits are
 * marks beside the bytes, and what nobody touched is written by copying byte ranges.
 *
 * What is written can always be sent. In `set` and `add`, bytes that no field value may hold (controls
 * such as CR, LF and NUL, chars above U+00FF) become a space; in a pseudo-header, where a space would
 * break the start line, they and spaces are percent-encoded. Names that are no token are ignored.
 */
export class HeaderMap {
  readonly #bytes: Buffer;
  readonly #origin: number;
  readonly #table: Int32Array;
  readonly #base: number;
  readonly #lines: number;
  /** Names that the table of names had when the bytes were parsed; later ones are compared by text. */
  readonly #known: number;
  /** Bits of the ids of the lines, modulo 64: most names that are asked for are absent. */
  #lowIds = 0;
  #highIds = 0;
  /** By line: replaced values, and those that were asked for before. */
  #strings: (string | undefined)[] | null = null;
  #addedNames: HeaderName[] | null = null;
  #addedValues: string[] = [];

  /** Without arguments empty; the arguments are for codecs: `lines` entries of `table` from `base` on. */
  constructor(bytes: Buffer = NO_BYTES, origin = 0, table: Int32Array = NO_TABLE, base = 0, lines = 0) {
    this.#bytes = bytes;
    this.#origin = origin;
    this.#table = table;
    this.#base = base;
    this.#lines = lines;
    this.#known = HeaderName.count;
    for (let line = 0, at = base; line < lines; line++, at += STRIDE) this.#note(table[at] as number);
  }

  /** The value, several joined by a comma as HTTP allows; null when absent. */
  get(name: HeaderName): string | null {
    const wanted = canonical(name);
    let found: string | null = null;
    for (let line = this.#find(wanted, 0); line >= 0; line = this.#find(wanted, line + 1)) {
      const value = this.#valueAt(line);
      found = found === null ? value : `${found},${value}`;
    }
    return this.#addedNames === null ? found : this.#joinAdded(wanted, found);
  }

  /** The first value; null when absent. */
  getFirst(name: HeaderName): string | null {
    const wanted = canonical(name);
    const line = this.#find(wanted, 0);
    if (line >= 0) return this.#valueAt(line);
    const added = this.#findAdded(wanted);
    return added < 0 ? null : (this.#addedValues[added] as string);
  }

  /** Length of {@link getFirst}, -1 when absent. Makes no string. */
  firstLength(name: HeaderName): number {
    const line = this.#find(canonical(name), 0);
    if (line < 0) return this.getFirst(name)?.length ?? -1;
    const at = this.#base + line * STRIDE;
    const end = this.#table[at + VALUE_END] as number;
    return end < 0 ? this.#valueAt(line).length : end - (this.#table[at + VALUE_START] as number);
  }

  has(name: HeaderName): boolean {
    const wanted = canonical(name);
    return this.#find(wanted, 0) >= 0 || this.#findAdded(wanted) >= 0;
  }

  /** True when the first value is exactly `text`. Makes no string. */
  valueEquals(name: HeaderName, text: string): boolean {
    const wanted = canonical(name);
    const line = this.#find(wanted, 0);
    if (line < 0) {
      const added = this.#findAdded(wanted);
      return added >= 0 && this.#addedValues[added] === text;
    }
    const at = this.#base + line * STRIDE;
    const end = this.#table[at + VALUE_END] as number;
    if (end < 0) return this.#valueAt(line) === text;
    const start = this.#table[at + VALUE_START] as number;
    return end - start === text.length && sameBytes(this.#bytes, this.#origin + start, text);
  }

  /** The value as a number when it is one plain decimal below 2^53, e.g. of `:status`; else -1. */
  getInteger(name: HeaderName): number {
    const wanted = canonical(name);
    const line = this.#find(wanted, 0);
    if (line < 0 || this.#addedNames !== null || this.#find(wanted, line + 1) >= 0) return parseDecimal(this.get(name));
    const at = this.#base + line * STRIDE;
    const end = this.#table[at + VALUE_END] as number;
    if (end < 0) return parseDecimal(this.#valueAt(line));
    return readDecimal(this.#bytes, this.#origin + (this.#table[at + VALUE_START] as number), this.#origin + end);
  }

  /** Replaces every value of the name, in the place of the first. */
  set(name: HeaderName, value: string): void {
    if (name.valid) this.#put(canonical(name), safe(canonical(name), value));
  }

  /** As {@link set}, without looking at the value again. */
  setChecked(name: HeaderName, value: CheckedFieldValue): void {
    const wanted = canonical(name);
    if (name.valid) this.#put(wanted, wanted.pseudo ? safePseudoValue(value.text) : value.text);
  }

  add(name: HeaderName, value: string): void {
    if (name.valid) this.#append(canonical(name), safe(canonical(name), value));
  }

  remove(name: HeaderName): void {
    const wanted = canonical(name);
    for (let line = this.#find(wanted, 0); line >= 0; line = this.#find(wanted, line + 1)) this.#drop(line);
    this.#removeAdded(wanted, 0);
  }

  forEach(visit: (name: string, value: string) => void): void {
    for (let line = 0; line < this.#lines; line++) {
      if (this.#idAt(line) !== DROPPED) visit(this.#nameAt(line), this.#valueAt(line));
    }
    if (this.#addedNames === null) return;
    for (let i = 0; i < this.#addedNames.length; i++) {
      visit((this.#addedNames[i] as HeaderName).text, this.#addedValues[i] as string);
    }
  }

  /** Number of fields, pseudo-headers included. */
  get size(): number {
    let size = this.#addedNames === null ? 0 : this.#addedNames.length;
    for (let line = 0; line < this.#lines; line++) if (this.#idAt(line) !== DROPPED) size++;
    return size;
  }

  /** Sum of the lengths of names and values. */
  get byteSize(): number {
    let size = 0;
    for (let line = 0; line < this.#lines; line++) if (this.#idAt(line) !== DROPPED) size += this.#lengthAt(line);
    if (this.#addedNames === null) return size;
    for (const name of this.#addedNames) size += name.text.length;
    for (const value of this.#addedValues) size += value.length;
    return size;
  }

  /** A map of its own: edits of one do not show in the other. */
  clone(): HeaderMap {
    const table = this.#table.slice(this.#base, this.#base + this.#lines * STRIDE);
    const copy = new HeaderMap(this.#bytes, this.#origin, table, 0, this.#lines);
    copy.#strings = this.#strings === null ? null : this.#strings.slice();
    copy.#addedNames = this.#addedNames === null ? null : this.#addedNames.slice();
    copy.#addedValues = this.#addedValues.slice();
    // Names that were made since this map was parsed are not in its table.
    for (let id = this.#known; id < copy.#known; id++) copy.#adopt(id);
    return copy;
  }

  /**
   * Writes every field whose id is `from` or higher, or unknown, as `name: value CRLF`; pseudo-headers
   * never. Returns the number of bytes.
   */
  writeFields(sink: FieldSink, from: number): number {
    let written = 0;
    let runStart = 0;
    let runEnd = 0;
    for (let line = 0; line < this.#lines; line++) {
      const at = this.#base + line * STRIDE;
      const id = this.#table[at] as number;
      const start = this.#table[at + NAME_START] as number;
      if (start < 0 || id === DROPPED || (id >= 0 && id < from)) continue;
      const end = this.#table[at + VALUE_END] as number;
      if (end >= 0 && start === runEnd) {
        runEnd = end + 2;
        continue;
      }
      written += this.#writeRun(sink, runStart, runEnd);
      if (end >= 0) {
        runStart = start;
        runEnd = end + 2;
        continue;
      }
      runStart = 0;
      runEnd = 0;
      written += writeField(sink, this.#nameAt(line), this.#valueAt(line));
    }
    written += this.#writeRun(sink, runStart, runEnd);
    return this.#addedNames === null ? written : written + this.#writeAdded(sink, from);
  }

  #writeRun(sink: FieldSink, start: number, end: number): number {
    if (end > start) sink.append(this.#bytes, this.#origin + start, this.#origin + end);
    return end - start;
  }

  #writeAdded(sink: FieldSink, from: number): number {
    const names = this.#addedNames as HeaderName[];
    let written = 0;
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as HeaderName;
      if (name.pseudo || (name.id >= 0 && name.id < from)) continue;
      written += writeField(sink, name.text, this.#addedValues[i] as string);
    }
    return written;
  }

  /** The first line of the name at or after `from`; -1 when there is none. */
  #find(name: HeaderName, from: number): number {
    const id = name.id;
    if (id < 0 || id >= this.#known) return this.#findText(name.text, from);
    if (((id & 32) === 0 ? this.#lowIds : this.#highIds) & (1 << id)) return this.#findId(id, from);
    return -1;
  }

  #findId(id: number, from: number): number {
    const table = this.#table;
    let at = this.#base + from * STRIDE;
    for (let line = from; line < this.#lines; line++) {
      if (table[at] === id) return line;
      at += STRIDE;
    }
    return -1;
  }

  #findText(text: string, from: number): number {
    for (let line = from; line < this.#lines; line++) {
      const at = this.#base + line * STRIDE;
      if (this.#table[at] !== UNKNOWN) continue;
      const start = this.#table[at + NAME_START] as number;
      if ((this.#table[at + VALUE_START] as number) - 2 - start !== text.length) continue;
      if (sameBytes(this.#bytes, this.#origin + start, text)) return line;
    }
    return -1;
  }

  #findAdded(name: HeaderName): number {
    const names = this.#addedNames;
    if (names === null) return -1;
    for (let i = 0; i < names.length; i++) if ((names[i] as HeaderName).text === name.text) return i;
    return -1;
  }

  #joinAdded(name: HeaderName, found: string | null): string | null {
    const names = this.#addedNames as HeaderName[];
    let joined = found;
    for (let i = 0; i < names.length; i++) {
      if ((names[i] as HeaderName).text !== name.text) continue;
      const value = this.#addedValues[i] as string;
      joined = joined === null ? value : `${joined},${value}`;
    }
    return joined;
  }

  /** `value` may stand in a message. */
  #put(wanted: HeaderName, value: string): void {
    const line = this.#find(wanted, 0);
    if (line >= 0) {
      for (let next = this.#find(wanted, line + 1); next >= 0; next = this.#find(wanted, next + 1)) this.#drop(next);
      this.#removeAdded(wanted, 0);
      this.#table[this.#base + line * STRIDE + VALUE_END] = REPLACED;
      this.#cache(line, value);
      return;
    }
    const added = this.#findAdded(wanted);
    if (added < 0) {
      this.#append(wanted, value);
      return;
    }
    this.#addedValues[added] = value;
    this.#removeAdded(wanted, added + 1);
  }

  #append(name: HeaderName, value: string): void {
    if (this.#addedNames === null) this.#addedNames = [name];
    else this.#addedNames.push(name);
    this.#addedValues.push(value);
  }

  #removeAdded(name: HeaderName, from: number): void {
    const names = this.#addedNames;
    if (names === null) return;
    for (let i = names.length - 1; i >= from; i--) {
      if ((names[i] as HeaderName).text !== name.text) continue;
      names.splice(i, 1);
      this.#addedValues.splice(i, 1);
    }
  }

  #note(id: number): void {
    if (id < 0) return;
    if ((id & 32) === 0) this.#lowIds |= 1 << id;
    else this.#highIds |= 1 << id;
  }

  #drop(line: number): void {
    this.#table[this.#base + line * STRIDE] = DROPPED;
  }

  #adopt(id: number): void {
    const text = HeaderName.textOf(id);
    this.#note(id);
    for (let line = this.#findText(text, 0); line >= 0; line = this.#findText(text, line + 1)) {
      this.#table[this.#base + line * STRIDE] = id;
    }
  }

  #idAt(line: number): number {
    return this.#table[this.#base + line * STRIDE] as number;
  }

  #nameAt(line: number): string {
    const at = this.#base + line * STRIDE;
    const id = this.#table[at] as number;
    if (id >= 0) return HeaderName.textOf(id);
    const start = this.#origin + (this.#table[at + NAME_START] as number);
    return this.#bytes.toString("latin1", start, this.#origin + (this.#table[at + VALUE_START] as number) - 2);
  }

  #valueAt(line: number): string {
    const cached = this.#strings === null ? undefined : this.#strings[line];
    if (cached !== undefined) return cached;
    const at = this.#base + line * STRIDE;
    const end = this.#table[at + VALUE_END] as number;
    if (end < 0) return end === HTTPS ? "https" : "http";
    const start = this.#origin + (this.#table[at + VALUE_START] as number);
    return this.#cache(line, this.#bytes.toString("latin1", start, this.#origin + end));
  }

  #cache(line: number, value: string): string {
    if (this.#strings === null) this.#strings = new Array<string | undefined>(this.#lines);
    this.#strings[line] = value;
    return value;
  }

  #lengthAt(line: number): number {
    const at = this.#base + line * STRIDE;
    const start = this.#table[at + NAME_START] as number;
    const valueStart = this.#table[at + VALUE_START] as number;
    const end = this.#table[at + VALUE_END] as number;
    const name = start < 0 ? this.#nameAt(line).length : valueStart - 2 - start;
    return name + (end < 0 ? this.#valueAt(line).length : end - valueStart);
  }
}

function canonical(name: HeaderName): HeaderName {
  return name === H.host ? H.authority : name;
}

function sameBytes(bytes: Buffer, start: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}

function safe(name: HeaderName, value: string): string {
  return name.pseudo ? safePseudoValue(value) : safeFieldValue(value);
}
