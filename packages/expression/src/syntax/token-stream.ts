import { SyntaxFault } from "./fault.ts";
import { Lexer, type Token } from "./lexer.ts";

/** Tokens with one to look at. */
export class TokenStream {
  readonly #lexer: Lexer;
  #token: Token;

  constructor(source: string) {
    this.#lexer = new Lexer(source);
    this.#token = this.#lexer.next();
  }

  get token(): Token {
    return this.#token;
  }

  get atEnd(): boolean {
    return this.#token.kind === "end";
  }

  take(): Token {
    const token = this.#token;
    this.#token = this.#lexer.next();
    return token;
  }

  is(sign: string): boolean {
    return this.#token.kind === "sign" && this.#token.text === sign;
  }

  /** Takes the sign if it is the next token. */
  skip(sign: string): boolean {
    if (!this.is(sign)) return false;
    this.take();
    return true;
  }

  expect(sign: string, after: string): Token {
    if (this.is(sign)) return this.take();
    throw this.unexpected(`a "${sign}" is missing after ${after}`);
  }

  unexpected(message: string): SyntaxFault {
    const { kind, text, offset } = this.#token;
    const found = kind === "end" ? "the expression ends here" : `found ${JSON.stringify(text)}`;
    return new SyntaxFault(offset, `${message}; ${found}`);
  }
}
