import { encodeCodePoint } from "./utf8.ts";

/** Kinds of {@link JsonValue}. */
export const JSON_NULL: i32 = 0;
/** A kind of value. */
export const JSON_BOOLEAN: i32 = 1;
/** A kind of value. */
export const JSON_NUMBER: i32 = 2;
/** A kind of value. */
export const JSON_STRING: i32 = 3;
/** A kind of value. */
export const JSON_ARRAY: i32 = 4;
/** A kind of value. */
export const JSON_OBJECT: i32 = 5;

const MAXIMUM_DEPTH: i32 = 32;
// Shared by the values that have none.
const NO_ITEMS: JsonValue[] = [];
const NO_NAMES: string[] = [];

/** One value of a JSON text. Reads of a member that is absent or of another kind give the fallback; nothing throws. */
export class JsonValue {
  /** One of the kinds above. */
  readonly kind: i32;
  /** A string's content; a number or boolean as it was written; else empty. */
  readonly text: string;
  /** The elements of an array or the values of an object, in the order of the text. */
  readonly items: JsonValue[];
  /** The member names of an object, parallel to {@link items}. */
  readonly names: string[];

  constructor(kind: i32, text: string) {
    this.kind = kind;
    this.text = text;
    this.items = kind >= JSON_ARRAY ? [] : NO_ITEMS;
    this.names = kind === JSON_OBJECT ? [] : NO_NAMES;
  }

  /** The member of an object, or null. Of repeated names the last counts. */
  get(name: string): JsonValue | null {
    for (let i: i32 = this.names.length - 1; i >= 0; i--) {
      if (this.names[i]! === name) return this.items[i]!;
    }
    return null;
  }

  /** A string or number as text; the fallback for other kinds. */
  asText(fallback: string): string {
    return this.kind === JSON_STRING || this.kind === JSON_NUMBER ? this.text : fallback;
  }

  /** `true` or `false`, also written as strings. */
  asBoolean(fallback: boolean): boolean {
    if (this.kind !== JSON_BOOLEAN && this.kind !== JSON_STRING) return fallback;
    if (this.text === "true") return true;
    return this.text === "false" ? false : fallback;
  }

  /** A whole number within ±999999999, also written as a string; the fallback for anything else. */
  asInteger(fallback: i32): i32 {
    if (this.kind !== JSON_NUMBER && this.kind !== JSON_STRING) return fallback;
    const negative = this.text.startsWith("-");
    const from: i32 = negative ? 1 : 0;
    const digits: i32 = this.text.length - from;
    if (digits < 1 || digits > 9) return fallback;
    let value: i32 = 0;
    for (let i: i32 = from; i < this.text.length; i++) {
      const digit: i32 = this.text.charCodeAt(i) - 48;
      if (digit < 0 || digit > 9) return fallback;
      value = value * 10 + digit;
    }
    return negative ? -value : value;
  }
}

/**
 * Reads a JSON text (RFC 8259). `text` is a byte string; escapes become UTF-8 bytes. Use: `parse`, and where it gives
 * null, `problem` says what was found where. Depth is bounded; size is the caller's business.
 */
export class JsonReader {
  /** Empty if all went well. */
  problem: string = "";
  private readonly source: string;
  private at: i32 = 0;

  constructor(text: string) {
    this.source = text;
  }

  /** The value of the whole text; null where it is none, and `problem` says why. */
  parse(): JsonValue | null {
    const value = this.value(0);
    if (value === null) return null;
    this.space();
    if (this.at < this.source.length) return this.fail("more text after the value");
    return value;
  }

  private value(depth: i32): JsonValue | null {
    if (depth > MAXIMUM_DEPTH) return this.fail("too deep");
    this.space();
    if (this.at >= this.source.length) return this.fail("the text ends early");
    const first = this.source.charAt(this.at);
    if (first === "{") return this.object(depth);
    if (first === "[") return this.array(depth);
    if (first === '"') return this.stringValue();
    if (first === "t") return this.word("true", JSON_BOOLEAN);
    if (first === "f") return this.word("false", JSON_BOOLEAN);
    if (first === "n") return this.word("null", JSON_NULL);
    return this.number();
  }

  private object(depth: i32): JsonValue | null {
    const object = new JsonValue(JSON_OBJECT, "");
    this.at++;
    if (this.taken("}")) return object;
    while (true) {
      this.space();
      const name = this.string();
      if (name === null) return null;
      if (!this.taken(":")) return this.fail("expected ':'");
      const item = this.value(depth + 1);
      if (item === null) return null;
      object.names.push(name);
      object.items.push(item);
      if (this.taken("}")) return object;
      if (!this.taken(",")) return this.fail("expected ',' or '}'");
    }
  }

  private array(depth: i32): JsonValue | null {
    const array = new JsonValue(JSON_ARRAY, "");
    this.at++;
    if (this.taken("]")) return array;
    while (true) {
      const item = this.value(depth + 1);
      if (item === null) return null;
      array.items.push(item);
      if (this.taken("]")) return array;
      if (!this.taken(",")) return this.fail("expected ',' or ']'");
    }
  }

  private stringValue(): JsonValue | null {
    const text = this.string();
    return text === null ? null : new JsonValue(JSON_STRING, text);
  }

  private string(): string | null {
    if (this.at >= this.source.length || this.source.charAt(this.at) !== '"') return this.failText("expected a string");
    this.at++;
    let text = "";
    let from: i32 = this.at;
    while (this.at < this.source.length) {
      const code: i32 = this.source.charCodeAt(this.at);
      if (code === 34) {
        text += this.source.substring(from, this.at);
        this.at++;
        return text;
      }
      if (code < 32) return this.failText("a control character inside a string");
      if (code !== 92) {
        this.at++;
        continue;
      }
      text += this.source.substring(from, this.at);
      const escaped = this.escape();
      if (escaped === null) return null;
      text += escaped;
      from = this.at;
    }
    return this.failText("a string without an end");
  }

  private escape(): string | null {
    const sign = this.source.charAt(this.at + 1);
    this.at += 2;
    if (sign === "n") return "\n";
    if (sign === "t") return "\t";
    if (sign === "r") return "\r";
    if (sign === "b") return "\b";
    if (sign === "f") return "\f";
    if (sign === '"' || sign === "\\" || sign === "/") return sign;
    if (sign !== "u") return this.failText("an unknown escape");
    const unit: i32 = this.hex();
    if (unit < 0) return this.failText("an escape without four hexadecimal digits");
    if (unit < 0xd800 || unit > 0xdbff) return encodeCodePoint(unit);
    return this.surrogates(unit);
  }

  /** The second half of a pair, if one follows. A lone half becomes U+FFFD. */
  private surrogates(high: i32): string {
    const after: i32 = this.at;
    if (this.source.substring(after, after + 2) === "\\u") {
      this.at += 2;
      const low: i32 = this.hex();
      if (low >= 0xdc00 && low <= 0xdfff) return encodeCodePoint(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
      this.at = after;
    }
    return encodeCodePoint(high);
  }

  private hex(): i32 {
    if (this.at + 4 > this.source.length) return -1;
    let value: i32 = 0;
    for (let i: i32 = 0; i < 4; i++) {
      const digit: i32 = hexDigit(this.source.charCodeAt(this.at + i));
      if (digit < 0) return -1;
      value = (value << 4) | digit;
    }
    this.at += 4;
    return value;
  }

  private number(): JsonValue | null {
    const from: i32 = this.at;
    if (this.isAt("-")) this.at++;
    const whole: i32 = this.digits();
    if (whole === 0) return this.fail("expected a value");
    if (whole > 1 && this.source.charAt(this.at - whole) === "0") return this.fail("a number with a leading zero");
    if (this.isAt(".")) {
      this.at++;
      if (this.digits() === 0) return this.fail("a number without digits after the point");
    }
    if (this.isAt("e") || this.isAt("E")) {
      this.at++;
      if (this.isAt("+") || this.isAt("-")) this.at++;
      if (this.digits() === 0) return this.fail("a number without an exponent");
    }
    return new JsonValue(JSON_NUMBER, this.source.substring(from, this.at));
  }

  private digits(): i32 {
    const from: i32 = this.at;
    while (this.at < this.source.length) {
      const code: i32 = this.source.charCodeAt(this.at);
      if (code < 48 || code > 57) break;
      this.at++;
    }
    return this.at - from;
  }

  private word(word: string, kind: i32): JsonValue | null {
    if (this.source.substring(this.at, this.at + word.length) !== word) return this.fail("expected a value");
    this.at += word.length;
    return new JsonValue(kind, kind === JSON_BOOLEAN ? word : "");
  }

  private isAt(sign: string): boolean {
    return this.at < this.source.length && this.source.charAt(this.at) === sign;
  }

  /** Skips white space, and `sign` if it is next. */
  private taken(sign: string): boolean {
    this.space();
    if (!this.isAt(sign)) return false;
    this.at++;
    return true;
  }

  private space(): void {
    while (this.at < this.source.length) {
      const code: i32 = this.source.charCodeAt(this.at);
      if (code !== 32 && code !== 9 && code !== 10 && code !== 13) return;
      this.at++;
    }
  }

  private fail(what: string): JsonValue | null {
    this.failText(what);
    return null;
  }

  private failText(what: string): string | null {
    if (this.problem.length === 0) this.problem = `${what} at byte ${this.at.toString()}`;
    return null;
  }
}

function hexDigit(code: i32): i32 {
  if (code >= 48 && code <= 57) return code - 48;
  if (code >= 97 && code <= 102) return code - 87;
  return code >= 65 && code <= 70 ? code - 55 : -1;
}
