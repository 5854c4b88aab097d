import { SyntaxFault } from "./fault.ts";

export interface ScannedNumber {
  readonly kind: "int" | "uint" | "double";
  readonly text: string;
  readonly end: number;
}

const DOUBLE = /(?:\d+\.\d+|\.\d+|\d+(?=[eE]))(?:[eE][+-]?\d+)?/y;
const INTEGER = /0[xX][0-9a-fA-F]+|\d+/y;
const NAME_CHAR = /[A-Za-z0-9_]/;

export function isDigit(char: string | undefined): boolean {
  return char !== undefined && char >= "0" && char <= "9";
}

/** A number that begins at `offset`, without a sign. */
export function scanNumber(source: string, offset: number): ScannedNumber {
  DOUBLE.lastIndex = offset;
  const double = DOUBLE.exec(source)?.[0];
  if (double !== undefined) return finish(source, offset, "double", double, 0);
  INTEGER.lastIndex = offset;
  const digits = INTEGER.exec(source)?.[0] ?? "";
  const unsigned = /[uU]/.test(source[offset + digits.length] ?? "");
  return finish(source, offset, unsigned ? "uint" : "int", digits, unsigned ? 1 : 0);
}

function finish(
  source: string,
  offset: number,
  kind: ScannedNumber["kind"],
  text: string,
  suffix: number,
): ScannedNumber {
  const end = offset + text.length + suffix;
  if (NAME_CHAR.test(source[end] ?? "")) throw new SyntaxFault(end, `"${source[end]}" does not belong into a number`);
  return { kind, text, end };
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  "?": "?",
  '"': '"',
  "'": "'",
  "`": "`",
};
/** Digits after `\x`, `\u` and `\U`. */
const HEX_ESCAPES: Readonly<Record<string, number>> = { x: 2, X: 2, u: 4, U: 8 };

/** A quoted text at `offset`, where the quote stands. Of bytes each char of the result is one byte. */
export function scanQuoted(
  source: string,
  offset: number,
  raw: boolean,
  bytes: boolean,
): { readonly text: string; readonly end: number } {
  const mark = source[offset] ?? "";
  const quote = source.startsWith(mark.repeat(3), offset) ? mark.repeat(3) : mark;
  let text = "";
  let at = offset + quote.length;
  for (;;) {
    if (source.startsWith(quote, at)) return { text, end: at + quote.length };
    const char = source[at];
    if (char === undefined || (quote.length === 1 && (char === "\n" || char === "\r")))
      throw new SyntaxFault(offset, `this text does not end; a closing ${quote} is missing`);
    if (char === "\\" && !raw) {
      const escaped = readEscape(source, at, bytes);
      text += escaped.text;
      at = escaped.end;
      continue;
    }
    const point = String.fromCodePoint(source.codePointAt(at) ?? 0);
    text += bytes ? utf8(point) : point;
    at += point.length;
  }
}

function utf8(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

function readEscape(source: string, at: number, bytes: boolean): { readonly text: string; readonly end: number } {
  const kind = source[at + 1] ?? "";
  const simple = Object.hasOwn(SIMPLE_ESCAPES, kind) ? SIMPLE_ESCAPES[kind] : undefined;
  if (simple !== undefined) return { text: simple, end: at + 2 };
  const hex = Object.hasOwn(HEX_ESCAPES, kind) ? (HEX_ESCAPES[kind] ?? 0) : 0;
  const digits = hex > 0 ? source.slice(at + 2, at + 2 + hex) : source.slice(at + 1, at + 4);
  const valid = hex > 0 ? /^[0-9a-fA-F]+$/.test(digits) && digits.length === hex : /^[0-3][0-7]{2}$/.test(digits);
  if (!valid) throw new SyntaxFault(at, `\\${kind} is not an escape; write \\\\ for a backslash, or a raw text r"…"`);
  const code = Number.parseInt(digits, hex > 0 ? 16 : 8);
  const end = at + (hex > 0 ? 2 + hex : 4);
  if (bytes) {
    if (hex > 2) throw new SyntaxFault(at, `\\${kind} has no place in bytes; use \\x`);
    return { text: String.fromCharCode(code), end };
  }
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
    throw new SyntaxFault(at, `\\${kind}${digits} is not a character`);
  return { text: String.fromCodePoint(code), end };
}
