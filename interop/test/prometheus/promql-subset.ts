/** The part of PromQL that Istio's dashboards and Kiali's graph use, as a tree. */
export type Expression =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "text"; readonly value: string }
  | { readonly kind: "selector"; readonly metric: string; readonly matchers: readonly Matcher[] }
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Expression[] }
  | { readonly kind: "sum"; readonly by: readonly string[]; readonly of: Expression }
  | { readonly kind: "binary"; readonly operator: string; readonly left: Expression; readonly right: Expression };

export interface Matcher {
  readonly label: string;
  readonly operator: "=" | "!=" | "=~" | "!~";
  readonly value: string;
}

const TOKEN =
  /\s*(?:("(?:[^"\\]|\\.)*")|(\d+(?:\.\d+)?)(?![\w])|([A-Za-z_:][\w:]*)|(\[[^\]]*\])|(=~|!~|!=|[=(){},/+>]))/y;
/** From loose to tight. */
const OPERATORS: readonly (readonly string[])[] = [["or"], [">"], ["+"], ["/"]];

/** Throws on what the dashboards do not use, so that a new kind of query is noticed. */
export function parsePromql(text: string): Expression {
  return new Parser(tokens(text), text).whole();
}

function tokens(text: string): string[] {
  const found: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) throw new Error(`unknown token at ${at} of ${text}`);
    found.push(match[0].trim());
  }
  return found;
}

class Parser {
  readonly #tokens: readonly string[];
  readonly #text: string;
  #at = 0;

  constructor(tokens: readonly string[], text: string) {
    this.#tokens = tokens;
    this.#text = text;
  }

  whole(): Expression {
    const expression = this.#binary(0);
    if (this.#at < this.#tokens.length) this.#fail();
    return expression;
  }

  #binary(level: number): Expression {
    const operators = OPERATORS[level];
    if (operators === undefined) return this.#unary();
    let left = this.#binary(level + 1);
    while (operators.includes(this.#peek())) {
      const operator = this.#next();
      // `or on ()`: whatever the left side has stands for everything on the right.
      const on = operator === "or" && this.#peek() === "on";
      if (on) for (const token of ["on", "(", ")"]) this.#expect(token);
      left = { kind: "binary", operator: on ? "or on ()" : operator, left, right: this.#binary(level + 1) };
    }
    return left;
  }

  #unary(): Expression {
    const token = this.#next();
    if (token === "(") {
      const inner = this.#binary(0);
      this.#expect(")");
      return inner;
    }
    if (token.startsWith('"')) return { kind: "text", value: JSON.parse(token) as string };
    if (/^\d/.test(token)) return { kind: "number", value: Number(token) };
    if (token === "sum") return this.#sum();
    if (this.#peek() === "(") return { kind: "call", name: token, args: this.#list(")", () => this.#binary(0)) };
    const matchers = this.#peek() === "{" ? this.#list("}", () => this.#matcher()) : [];
    if (this.#peek().startsWith("[")) this.#next();
    return { kind: "selector", metric: token, matchers };
  }

  #sum(): Expression {
    let by = this.#by();
    this.#expect("(");
    const of = this.#binary(0);
    this.#expect(")");
    if (by.length === 0) by = this.#by();
    return { kind: "sum", by, of };
  }

  #by(): string[] {
    if (this.#peek() !== "by") return [];
    this.#next();
    return this.#list(")", () => this.#next());
  }

  #matcher(): Matcher {
    const label = this.#next();
    const operator = this.#next() as Matcher["operator"];
    return { label, operator, value: JSON.parse(this.#next()) as string };
  }

  /** From an opening bracket to the closing one; a comma may end it. */
  #list<T>(close: string, item: () => T): T[] {
    this.#next();
    const items: T[] = [];
    while (this.#peek() !== close) {
      items.push(item());
      if (this.#peek() === ",") this.#next();
    }
    this.#next();
    return items;
  }

  #peek(): string {
    return this.#tokens[this.#at] ?? "";
  }

  #next(): string {
    const token = this.#tokens[this.#at++];
    if (token === undefined) this.#fail();
    return token;
  }

  #expect(token: string): void {
    if (this.#next() !== token) this.#fail();
  }

  #fail(): never {
    throw new Error(`cannot read ${this.#text} at ${this.#tokens.slice(this.#at - 1).join(" ")}`);
  }
}
