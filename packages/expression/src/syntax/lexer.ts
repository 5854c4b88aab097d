import { SyntaxFault } from "./fault.ts";
import { isDigit, scanNumber, scanQuoted } from "./literal.ts";

export type TokenKind = "name" | "escaped" | "int" | "uint" | "double" | "string" | "bytes" | "sign" | "end";

export interface Token {
  readonly kind: TokenKind;
  /** Names and signs: themselves. Strings: the content. Bytes: one char each. Numbers: the digits. */
  readonly text: string;
  readonly offset: number;
}

const TWO_CHAR_SIGNS = new Set(["==", "!=", "<=", ">=", "&&", "||"]);
const SIGNS = "()[]{}.,:?+-*/%<>!";
const BLANK = /[ \t\r\n\f]/;
const NAME_START = /[A-Za-z_]/;
const NAME = /[A-Za-z0-9_]*/y;
const ESCAPED = /`([A-Za-z0-9_./ -]+)`/y;
const PREFIXED = /([rR][bB]?|[bB][rR]?)?(?=["'])/y;

/** Reads one token after another. Throws {@link SyntaxFault}. */
export class Lexer {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  next(): Token {
    this.#skipBlank();
    const offset = this.#at;
    const char = this.#source[offset];
    if (char === undefined) return { kind: "end", text: "", offset };
    const quoted = this.#quoted(offset);
    if (quoted !== null) return quoted;
    if (NAME_START.test(char)) return this.#name(offset);
    if (isDigit(char) || (char === "." && isDigit(this.#source[offset + 1]))) return this.#number(offset);
    if (char === "`") return this.#escaped(offset);
    return this.#sign(char, offset);
  }

  #skipBlank(): void {
    for (;;) {
      while (BLANK.test(this.#source[this.#at] ?? "")) this.#at++;
      if (!this.#source.startsWith("//", this.#at)) return;
      const end = this.#source.indexOf("\n", this.#at);
      this.#at = end < 0 ? this.#source.length : end;
    }
  }

  #quoted(offset: number): Token | null {
    PREFIXED.lastIndex = offset;
    const prefix = PREFIXED.exec(this.#source)?.[0];
    if (prefix === undefined) return null;
    const bytes = /b/i.test(prefix);
    const { text, end } = scanQuoted(this.#source, offset + prefix.length, /r/i.test(prefix), bytes);
    this.#at = end;
    return { kind: bytes ? "bytes" : "string", text, offset };
  }

  #name(offset: number): Token {
    NAME.lastIndex = offset;
    const text = NAME.exec(this.#source)?.[0] ?? "";
    this.#at = offset + text.length;
    return { kind: "name", text, offset };
  }

  #number(offset: number): Token {
    const { kind, text, end } = scanNumber(this.#source, offset);
    this.#at = end;
    return { kind, text, offset };
  }

  #escaped(offset: number): Token {
    ESCAPED.lastIndex = offset;
    const match = ESCAPED.exec(this.#source);
    if (match === null) throw new SyntaxFault(offset, "a name in backquotes may hold letters, digits and _ . - / only");
    this.#at = offset + match[0].length;
    return { kind: "escaped", text: match[1] ?? "", offset };
  }

  #sign(char: string, offset: number): Token {
    const two = this.#source.slice(offset, offset + 2);
    const text = TWO_CHAR_SIGNS.has(two) ? two : char;
    if (text.length === 1 && !SIGNS.includes(char)) throw new SyntaxFault(offset, unexpected(char));
    this.#at = offset + text.length;
    return { kind: "sign", text, offset };
  }
}

function unexpected(char: string): string {
  switch (char) {
    case "=":
      return `"=" is not an operator; compare with "=="`;
    case "&":
    case "|":
      return `"${char}" is not an operator; write "${char}${char}"`;
    default:
      return `${JSON.stringify(char)} does not belong into an expression`;
  }
}
