import { FieldTable, HeaderMap } from "../http/header-map.ts";
import { H, HeaderName, mixNameHash, NAME_HASH_SEED } from "../http/header-name.ts";
import { Fault, type Http1Fault } from "./fault.ts";
import { FramingFields } from "./framing-fields.ts";
import { HeadArena } from "./head-arena.ts";
import { COLON, CR, FIELD_VALUE, HT, LF, SP, TOKEN } from "./octets.ts";

/** Results of a parser that are no position: the bytes end too early; they are no message, see `fault`. */
export const MORE = -1;
export const FAULTY = -2;

export interface FieldLimits {
  /** Start line and fields together. */
  readonly maxHeadBytes: number;
  readonly maxHeaders: number;
  /** Envoy's `headers_with_underscores_action`. */
  readonly underscores: "allow" | "drop" | "reject";
}

/** What the fields belong to; it decides what `host` is and which names are allowed. */
export type SectionKind = "request" | "response" | "trailers";

const { STRIDE, UNKNOWN, HTTP } = FieldTable;
const UNDERSCORE = 0x5f;
const FRAMING_LAST = H.contentLength.id;
const FORBIDDEN_IN_TRAILERS_LAST = H.expect.id;
const HOST_ID = H.host.id;

/**
 * Field lines to offsets, in one walk over the bytes. One parser serves many connections: it holds one
 * section at a time, from {@link begin} to {@link build}, and {@link begin} forgets an unfinished one.
 */
export class FieldParser {
  fault: Http1Fault | null = null;
  readonly framing = new FramingFields();
  readonly #limits: FieldLimits;
  readonly #arena = new HeadArena();
  #kind: SectionKind = "request";
  #origin = 0;
  #lines = 0;
  #most = 0;
  #upperCase = false;
  /** Each line so far is `name: value CRLF` with no other white space. */
  #plain = true;

  constructor(limits: FieldLimits) {
    this.#limits = limits;
  }

  /** `pseudo` lines are kept free for {@link setPseudo}. */
  begin(kind: SectionKind, origin: number, pseudo: number): void {
    const { maxHeaders } = this.#limits;
    this.#arena.reserve((pseudo + maxHeaders) * STRIDE);
    this.#kind = kind;
    this.#origin = origin;
    this.#lines = 0;
    this.#most = pseudo + maxHeaders;
    this.#upperCase = false;
    this.#plain = true;
    this.fault = null;
    this.framing.clear();
    for (let line = 0; line < pseudo; line++) this.#push(FieldTable.DROPPED, -1, 0, 0);
  }

  setPseudo(line: number, id: number, start: number, end: number): void {
    const at = this.#arena.tableAt + line * STRIDE;
    const { table } = this.#arena;
    table[at] = id;
    table[at + FieldTable.VALUE_START] = start - this.#origin;
    table[at + FieldTable.VALUE_END] = end - this.#origin;
  }

  /** `:scheme`, whose value lies nowhere in the bytes. */
  setScheme(line: number, secure: boolean): void {
    const at = this.#arena.tableAt + line * STRIDE;
    this.#arena.table[at] = H.scheme.id;
    this.#arena.table[at + FieldTable.VALUE_END] = secure ? FieldTable.HTTPS : HTTP;
  }

  /** Where the section ends at the latest. */
  stop(end: number): number {
    return Math.min(end, this.#origin + this.#limits.maxHeadBytes);
  }

  /** Parses lines from `start` on; returns the position after the empty line, MORE or FAULTY. */
  parse(buffer: Buffer, start: number, end: number): number {
    const stop = this.stop(end);
    let pos = start;
    while (pos < stop && buffer[pos] !== CR) {
      pos = this.#line(buffer, pos, stop);
      if (pos < 0) break;
    }
    if (pos === FAULTY) return FAULTY;
    if (pos >= 0 && pos + 1 < stop) {
      return buffer[pos + 1] === LF ? pos + 2 : this.fail(Fault.bareCr);
    }
    return this.runsOut(end);
  }

  /** The bytes end before the section does: it is too large, or there is more to come. */
  runsOut(end: number): number {
    return end - this.#origin >= this.#limits.maxHeadBytes ? this.fail(Fault.headTooLarge) : MORE;
  }

  fail(fault: Http1Fault): number {
    this.fault = fault;
    return FAULTY;
  }

  /** The parsed section, in bytes of its own. `end` is what {@link parse} returned. */
  build(buffer: Buffer, end: number): HeaderMap {
    const arena = this.#arena;
    const base = arena.tableAt;
    arena.tableAt += this.#lines * STRIDE;
    const origin = this.#plain
      ? arena.store(buffer, this.#origin, end)
      : this.#storeRewritten(buffer, base, end - this.#origin);
    if (this.#upperCase) this.#foldNames(origin, base);
    return new HeaderMap(arena.bytes, origin, arena.table, base, this.#lines);
  }

  #line(buffer: Buffer, start: number, stop: number): number {
    let pos = start;
    let hash = NAME_HASH_SEED;
    let changed = 0;
    while (pos < stop) {
      const byte = buffer[pos] as number;
      const folded = TOKEN[byte] as number;
      if (folded === 0) break;
      hash = mixNameHash(hash, folded);
      changed |= folded ^ byte;
      pos++;
    }
    if (pos === stop) return MORE;
    if (buffer[pos] !== COLON || pos === start) return this.#badName(buffer, start, pos, stop);
    const nameEnd = pos++;
    while (pos < stop && (buffer[pos] === SP || buffer[pos] === HT)) pos++;
    const valueStart = pos;
    while (pos < stop && FIELD_VALUE[buffer[pos] as number] === 1) pos++;
    if (pos === stop || (pos + 1 === stop && buffer[pos] === CR)) return MORE;
    if (buffer[pos] !== CR || buffer[pos + 1] !== LF) return this.#badValue(buffer, pos);
    let valueEnd = pos;
    while (valueEnd > valueStart && (buffer[valueEnd - 1] === SP || buffer[valueEnd - 1] === HT)) valueEnd--;
    if (valueStart !== nameEnd + 2 || buffer[nameEnd + 1] !== SP || valueEnd !== pos) this.#plain = false;
    if (changed !== 0) this.#upperCase = true;
    const id = HeaderName.lookup(buffer, start, nameEnd, hash);
    return this.#record(buffer, id, start, nameEnd, valueStart, valueEnd) ? pos + 2 : FAULTY;
  }

  /** False when the line is at fault. */
  #record(buffer: Buffer, id: number, start: number, nameEnd: number, valueStart: number, valueEnd: number): boolean {
    if (this.#lines === this.#most) {
      this.fault = Fault.tooManyHeaders;
      return false;
    }
    let recorded = id;
    if (id >= 0 && id <= FORBIDDEN_IN_TRAILERS_LAST) {
      if (this.#kind === "trailers") {
        this.fault = Fault.forbiddenTrailer;
        return false;
      }
      if (id === HOST_ID) {
        this.framing.noteHost(valueStart, valueEnd);
        if (this.#kind === "request") {
          this.#countHost(valueStart, valueEnd);
          return true;
        }
        // A response has no authority: the name means nothing there.
        recorded = UNKNOWN;
      } else if (id <= FRAMING_LAST) {
        this.framing.note(id, buffer, valueStart, valueEnd);
      }
    }
    if (this.#limits.underscores !== "allow" && hasUnderscore(buffer, start, nameEnd)) {
      return this.#underscore();
    }
    const origin = this.#origin;
    this.#push(recorded, start - origin, valueStart - origin, valueEnd - origin);
    return true;
  }

  /** `host` fills the place of `:authority`, the first of a request. */
  #countHost(valueStart: number, valueEnd: number): void {
    this.setPseudo(0, H.authority.id, valueStart, valueEnd);
  }

  #underscore(): boolean {
    if (this.#limits.underscores === "drop") return true;
    this.fault = Fault.underscoreInName;
    return false;
  }

  #push(id: number, nameStart: number, valueStart: number, valueEnd: number): void {
    const { table, tableAt } = this.#arena;
    const at = tableAt + this.#lines * STRIDE;
    table[at] = id;
    table[at + FieldTable.NAME_START] = nameStart;
    table[at + FieldTable.VALUE_START] = valueStart;
    table[at + FieldTable.VALUE_END] = valueEnd;
    this.#lines++;
  }

  #badName(buffer: Buffer, start: number, pos: number, stop: number): number {
    const byte = buffer[pos] as number;
    if (byte === COLON) return this.fail(Fault.emptyName);
    if (byte === SP || byte === HT) return this.fail(pos === start ? Fault.obsFold : Fault.spaceInName);
    if (byte === LF) return this.fail(Fault.bareLf);
    if (byte !== CR) return this.fail(Fault.invalidName);
    if (pos + 1 === stop) return MORE;
    return this.fail(buffer[pos + 1] === LF ? Fault.missingColon : Fault.bareCr);
  }

  #badValue(buffer: Buffer, pos: number): number {
    if (buffer[pos] === LF) return this.fail(Fault.bareLf);
    return this.fail(buffer[pos] === CR ? Fault.bareCr : Fault.invalidValue);
  }

  /** Copies a section whose lines hold odd white space, in plain form. Such lines only get shorter, but for `name:value`. */
  #storeRewritten(buffer: Buffer, base: number, length: number): number {
    const { table } = this.#arena;
    const at = this.#arena.room(length + this.#lines);
    const { bytes } = this.#arena;
    let out = at;
    for (let line = 0; line < this.#lines; line++) {
      const entry = base + line * STRIDE;
      const nameStart = table[entry + FieldTable.NAME_START] as number;
      const valueStart = table[entry + FieldTable.VALUE_START] as number;
      const valueEnd = table[entry + FieldTable.VALUE_END] as number;
      if (valueEnd < 0) continue;
      if (nameStart >= 0) {
        table[entry + FieldTable.NAME_START] = out - at;
        const from = this.#origin + nameStart;
        out += buffer.copy(bytes, out, from, buffer.indexOf(COLON, from));
        bytes[out++] = COLON;
        bytes[out++] = SP;
      }
      table[entry + FieldTable.VALUE_START] = out - at;
      out += buffer.copy(bytes, out, this.#origin + valueStart, this.#origin + valueEnd);
      table[entry + FieldTable.VALUE_END] = out - at;
      if (nameStart < 0) continue;
      bytes[out++] = CR;
      bytes[out++] = LF;
    }
    return at;
  }

  #foldNames(origin: number, base: number): void {
    const { bytes, table } = this.#arena;
    for (let line = 0; line < this.#lines; line++) {
      const entry = base + line * STRIDE;
      const nameStart = table[entry + FieldTable.NAME_START] as number;
      if (nameStart < 0) continue;
      const end = origin + (table[entry + FieldTable.VALUE_START] as number) - 2;
      for (let pos = origin + nameStart; pos < end; pos++) bytes[pos] = TOKEN[bytes[pos] as number] as number;
    }
  }
}

function hasUnderscore(buffer: Buffer, start: number, end: number): boolean {
  for (let pos = start; pos < end; pos++) if (buffer[pos] === UNDERSCORE) return true;
  return false;
}
