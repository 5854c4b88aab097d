import { bytesOf } from "../values/bytes.ts";
import { toInt, toUint } from "../values/integer.ts";
import { Double } from "../values/value.ts";
import type { ListElement, MapEntry, MessageField, Node } from "./ast.ts";
import { qualifiedName } from "./ast.ts";
import { type ExpressionFault, locate, SyntaxFault } from "./fault.ts";
import type { Token } from "./lexer.ts";
import { DEFAULT_LIMITS, type ExpressionLimits } from "./limits.ts";
import { expandMacro } from "./macros.ts";
import { NodeFactory } from "./node-factory.ts";
import { TokenStream } from "./token-stream.ts";

export type Parsed =
  | { readonly node: Node; readonly faults?: undefined }
  | { readonly node?: undefined; readonly faults: readonly ExpressionFault[] };

/** Parses an expression; never throws. */
export function parse(source: string, limits: ExpressionLimits = DEFAULT_LIMITS): Parsed {
  if (source.length > limits.length) {
    const message = `the expression has ${source.length} characters, ${limits.length} are the limit; split it`;
    return { faults: [{ line: 1, column: 1, message }] };
  }
  try {
    return { node: new Parser(source, limits).parse() };
  } catch (error) {
    if (error instanceof SyntaxFault) return { faults: locate(source, [error]) };
    throw error;
  }
}

/** Names that the grammar keeps for itself. */
const RESERVED: ReadonlySet<string> = new Set([
  ...["as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package"],
  ...["namespace", "return", "var", "void", "while"],
]);
const LITERALS: ReadonlySet<string> = new Set(["true", "false", "null", "in"]);

/** Binary operators by how tightly they bind. */
const LEVELS: readonly ReadonlySet<string>[] = [
  new Set(["<", "<=", ">", ">=", "==", "!=", "in"]),
  new Set(["+", "-"]),
  new Set(["*", "/", "%"]),
];

class Parser {
  readonly #tokens: TokenStream;
  readonly #make: NodeFactory;
  readonly #limits: ExpressionLimits;
  #nesting = 0;

  constructor(source: string, limits: ExpressionLimits) {
    this.#limits = limits;
    this.#make = new NodeFactory(limits);
    this.#tokens = new TokenStream(source);
  }

  parse(): Node {
    if (this.#tokens.atEnd) throw new SyntaxFault(0, "the expression is empty");
    const node = this.#expression();
    if (!this.#tokens.atEnd) throw this.#tokens.unexpected("an operator is missing");
    return node;
  }

  #expression(): Node {
    const { offset } = this.#tokens.token;
    if (++this.#nesting > this.#limits.depth) throw this.#make.tooDeep(offset);
    const condition = this.#logical("||");
    let node = condition;
    if (this.#tokens.is("?")) {
      const at = this.#tokens.take().offset;
      const yes = this.#logical("||");
      this.#tokens.expect(":", "the value for true");
      node = this.#make.call("_?_:_", [condition, yes, this.#expression()], at);
    }
    this.#nesting--;
    return node;
  }

  #logical(sign: "||" | "&&"): Node {
    const part = () => (sign === "||" ? this.#logical("&&") : this.#binary(0));
    const first = part();
    if (!this.#tokens.is(sign)) return first;
    const { offset } = this.#tokens.token;
    const args = [first];
    while (this.#tokens.skip(sign)) args.push(part());
    return this.#make.call(`_${sign}_`, args, offset);
  }

  #binary(level: number): Node {
    const operators = LEVELS[level];
    if (operators === undefined) return this.#unary();
    let left = this.#binary(level + 1);
    for (;;) {
      const { kind, text, offset } = this.#tokens.token;
      if ((kind !== "sign" && kind !== "name") || !operators.has(text)) return left;
      this.#tokens.take();
      left = this.#make.call(text === "in" ? "@in" : `_${text}_`, [left, this.#binary(level + 1)], offset);
    }
  }

  #unary(): Node {
    const { offset } = this.#tokens.token;
    const sign = this.#tokens.is("!") ? "!" : "-";
    let count = 0;
    while (this.#tokens.skip(sign)) count++;
    if (count === 0) return this.#member(this.#primary(false));
    const { kind } = this.#tokens.token;
    // A minus belongs to the number behind it: the smallest int has no positive twin.
    const negative = sign === "-" && (kind === "int" || kind === "double");
    const operand = this.#member(this.#primary(negative));
    const rest = negative ? count - 1 : count;
    return rest % 2 === 0 ? operand : this.#make.call(sign === "!" ? "!_" : "-_", [operand], offset);
  }

  #member(start: Node): Node {
    let node = start;
    for (;;) {
      const { offset } = this.#tokens.token;
      if (this.#tokens.skip(".")) node = this.#selection(node, offset);
      else if (this.#tokens.skip("[")) node = this.#index(node, offset);
      else if (this.#tokens.is("{")) node = this.#message(node);
      else return node;
    }
  }

  #selection(operand: Node, offset: number): Node {
    const optional = this.#tokens.skip("?");
    const { kind, text } = this.#tokens.token;
    if (kind !== "name" && kind !== "escaped") throw this.#tokens.unexpected(`a field name is missing after "."`);
    if (kind === "name" && LITERALS.has(text)) throw this.#tokens.unexpected(`"${text}" cannot be a field name`);
    this.#tokens.take();
    if (kind === "name" && !optional && this.#tokens.skip("(")) return this.#call(text, operand, offset);
    return this.#make.select(operand, text, optional, offset);
  }

  #index(operand: Node, offset: number): Node {
    const optional = this.#tokens.skip("?");
    const index = this.#expression();
    this.#tokens.expect("]", "the index");
    return this.#make.call(optional ? "_[?_]" : "_[_]", [operand, index], offset);
  }

  #call(name: string, target: Node | null, offset: number): Node {
    const args: Node[] = [];
    if (!this.#tokens.skip(")")) {
      do args.push(this.#expression());
      while (this.#tokens.skip(","));
      this.#tokens.expect(")", `the arguments of ${name}`);
    }
    return expandMacro(this.#make, name, target, args, offset) ?? this.#make.call(name, args, offset, target);
  }

  #primary(negative: boolean): Node {
    const token = this.#tokens.token;
    switch (token.kind) {
      case "sign":
        return this.#bracketed();
      case "name":
        return this.#name("");
      case "end":
      case "escaped":
        throw this.#tokens.unexpected("a value is missing");
      default:
        this.#tokens.take();
        return this.#literal(token, negative);
    }
  }

  #literal({ kind, text, offset }: Token, negative: boolean): Node {
    switch (kind) {
      case "int": {
        const value = toInt(negative ? -BigInt(text) : BigInt(text));
        if (typeof value === "object") throw new SyntaxFault(offset, `${text} does not fit into 64 bits`);
        return this.#make.constant(value, offset);
      }
      case "uint": {
        const value = toUint(BigInt(text));
        if ("reason" in value) throw new SyntaxFault(offset, `${text}u does not fit into 64 bits`);
        return this.#make.constant(value, offset);
      }
      case "double":
        return this.#make.constant(new Double(negative ? -Number(text) : Number(text)), offset);
      case "bytes":
        return this.#make.constant(bytesOf(text), offset);
      default:
        return this.#make.constant(text, offset);
    }
  }

  #bracketed(): Node {
    const { offset } = this.#tokens.token;
    if (this.#tokens.skip("(")) {
      const node = this.#expression();
      this.#tokens.expect(")", "the expression in parentheses");
      return node;
    }
    if (this.#tokens.skip("[")) return this.#list(offset);
    if (this.#tokens.skip("{")) return this.#map(offset);
    if (this.#tokens.skip(".")) return this.#name(".");
    throw this.#tokens.unexpected("a value is missing");
  }

  #name(dot: string): Node {
    const { kind, text, offset } = this.#tokens.token;
    if (kind !== "name") throw this.#tokens.unexpected("a name is missing");
    if (RESERVED.has(text) || text === "in")
      throw new SyntaxFault(offset, `"${text}" is a reserved word; it cannot be a name`);
    this.#tokens.take();
    if (dot === "" && LITERALS.has(text)) return this.#make.constant(text === "null" ? null : text === "true", offset);
    if (this.#tokens.skip("(")) return this.#call(dot + text, null, offset);
    return this.#make.ident(dot + text, offset);
  }

  #list(offset: number): Node {
    const elements: ListElement[] = [];
    while (!this.#tokens.skip("]")) {
      const optional = this.#tokens.skip("?");
      elements.push({ value: this.#expression(), optional });
      if (!this.#tokens.skip(",") && !this.#tokens.is("]")) throw this.#tokens.unexpected(`"," or "]" is missing`);
    }
    return this.#make.make(
      { kind: "list", elements, offset },
      elements.map(({ value }) => value),
    );
  }

  #map(offset: number): Node {
    const entries: MapEntry[] = [];
    while (!this.#tokens.skip("}")) {
      const optional = this.#tokens.skip("?");
      const key = this.#expression();
      this.#tokens.expect(":", "the key");
      entries.push({ key, value: this.#expression(), optional });
      if (!this.#tokens.skip(",") && !this.#tokens.is("}")) throw this.#tokens.unexpected(`"," or "}" is missing`);
    }
    return this.#make.make(
      { kind: "map", entries, offset },
      entries.flatMap(({ key, value }) => [key, value]),
    );
  }

  #message(typeNode: Node): Node {
    const { offset } = this.#tokens.take();
    const name = qualifiedName(typeNode);
    if (name === null) throw new SyntaxFault(offset, `"{" must follow the name of a type`);
    const fields: MessageField[] = [];
    while (!this.#tokens.skip("}")) {
      const optional = this.#tokens.skip("?");
      const { kind, text, offset: at } = this.#tokens.token;
      if (kind !== "name" && kind !== "escaped") throw this.#tokens.unexpected("a field name is missing");
      this.#tokens.take();
      this.#tokens.expect(":", "the field name");
      fields.push({ name: text, value: this.#expression(), optional, offset: at });
      if (!this.#tokens.skip(",") && !this.#tokens.is("}")) throw this.#tokens.unexpected(`"," or "}" is missing`);
    }
    return this.#make.make(
      { kind: "message", name, fields, offset: typeNode.offset },
      fields.map(({ value }) => value),
    );
  }
}
