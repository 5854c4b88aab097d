import type * as Typescript from "typescript";
import { type Ts, unknownSyntax } from "./unknown-syntax.ts";

/** Something that both compilers accept and understand differently, or that only one of them can run. */
export interface SubsetFault {
  /** From 1. */
  readonly line: number;
  readonly column: number;
  readonly rule: string;
  /** The first line of what breaks it. */
  readonly text: string;
}

const FORBIDDEN_GLOBALS = new Set([
  ...["Date", "console", "process", "Buffer", "JSON", "RegExp", "Intl", "BigInt", "globalThis", "performance"],
  ...["setTimeout", "setInterval", "queueMicrotask", "Promise", "TextEncoder", "TextDecoder", "undefined"],
]);
const NARROW_TYPES = new Set(["u8", "u16", "u32", "i8", "i16", "number"]);
const INTEGER_TYPES = new Set(["i32", "u32", "u8", "i8", "u16", "i16", "usize", "isize"]);
const ROUNDING = new Set(["toInt", "Math.floor", "Math.ceil", "Math.trunc", "Math.round"]);
const CUTS = "division of integers cuts in Wasm only: (a / b) | 0";

/** The places where a source would not mean the same in process and as Wasm. */
export function subsetFaults(ts: Ts, source: Typescript.SourceFile, checker: Typescript.TypeChecker): SubsetFault[] {
  const rules = new SubsetRules(ts, checker);
  const faults: SubsetFault[] = [];
  const visit = (node: Typescript.Node): void => {
    const rule = rules.fault(node) ?? unknownSyntax(ts, node);
    if (rule !== null) {
      const { line, character } = source.getLineAndCharacterOfPosition(node.getStart(source));
      const text = node.getText(source).split("\n")[0] ?? "";
      faults.push({ line: line + 1, column: character + 1, rule, text });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return faults;
}

class SubsetRules {
  readonly #ts: Ts;
  readonly #checker: Typescript.TypeChecker;

  constructor(ts: Ts, checker: Typescript.TypeChecker) {
    this.#ts = ts;
    this.#checker = checker;
  }

  /** The rule that a node breaks, or null. */
  fault(node: Typescript.Node): string | null {
    return this.#syntaxFault(node) ?? this.#nameFault(node) ?? this.#typeFault(node);
  }

  #syntaxFault(node: Typescript.Node): string | null {
    const ts = this.#ts;
    if (ts.isImportClause(node)) return node.phaseModifier === ts.SyntaxKind.TypeKeyword ? TYPE_ONLY : null;
    if (ts.isImportSpecifier(node) || ts.isExportSpecifier(node) || ts.isExportDeclaration(node)) {
      return node.isTypeOnly ? TYPE_ONLY : null;
    }
    if (ts.isTryStatement(node)) return "asc has no try";
    if (ts.isRegularExpressionLiteral(node)) return "asc has no regular expressions";
    if (ts.isBinaryExpression(node)) return this.#operatorFault(node);
    if (ts.isAsExpression(node) || ts.isTypeAssertionExpression(node)) {
      return this.#isNamed(node.type, INTEGER_TYPES) ? "a cast to an integer cuts in Wasm only: use toInt" : null;
    }
    if (ts.isTypeReferenceNode(node)) {
      return this.#isNamed(node, NARROW_TYPES) ? "only i32 and f64 behave alike" : null;
    }
    if (node.kind === ts.SyntaxKind.NumberKeyword) return "number is f64 to asc: say i32 or f64";
    if (ts.isNewExpression(node)) {
      const sized = node.expression.getText() === "Array" && (node.arguments?.length ?? 0) > 0;
      return sized ? "new Array(n) has holes in process: use push" : null;
    }
    if (!ts.isVariableStatement(node) || !ts.isSourceFile(node.parent)) return null;
    const constant = (node.declarationList.flags & ts.NodeFlags.Const) !== 0;
    return constant ? null : "module state is shared by all instances in process";
  }

  #isNamed(node: Typescript.TypeNode, names: ReadonlySet<string>): boolean {
    return this.#ts.isTypeReferenceNode(node) && names.has(node.typeName.getText());
  }

  #operatorFault(node: Typescript.BinaryExpression): string | null {
    const { SyntaxKind, isNumericLiteral } = this.#ts;
    const operator = node.operatorToken.kind;
    if (operator === SyntaxKind.SlashToken && !this.#isRounded(node)) return CUTS;
    if (operator === SyntaxKind.SlashEqualsToken) return CUTS;
    const zero = isNumericLiteral(node.right) && node.right.text === "0";
    const unsigned = operator === SyntaxKind.GreaterThanGreaterThanGreaterThanToken;
    return unsigned && zero ? ">>> 0 leaves an i32 negative in Wasm" : null;
  }

  /** Under `| 0`, or the argument of something that cuts alike in both forms. */
  #isRounded(node: Typescript.Node): boolean {
    const ts = this.#ts;
    let { parent } = node;
    while (ts.isParenthesizedExpression(parent)) ({ parent } = parent);
    if (ts.isBinaryExpression(parent) && parent.operatorToken.kind === ts.SyntaxKind.BarToken) {
      return parent.right.getText() === "0";
    }
    return ts.isCallExpression(parent) && ROUNDING.has(parent.expression.getText());
  }

  #nameFault(node: Typescript.Node): string | null {
    const ts = this.#ts;
    if (ts.isIdentifier(node) && FORBIDDEN_GLOBALS.has(node.text) && this.#isGlobal(node)) {
      return `${node.text} is not there in Wasm`;
    }
    if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return null;
    const name = node.expression.name.text;
    if (node.expression.getText() === "Math.random") return "Math.random does not link in Envoy";
    if (name === "sort" && node.arguments.length === 0) return "sort without a comparator orders differently";
    if (name === "pop" || name === "shift") return `${name} of an empty array traps in Wasm: test and index`;
    if (name === "splice" && node.arguments.length > 2) return "splice cannot insert in asc";
    if (name.startsWith("replace") && node.arguments[1]?.getText().includes("$")) return "$ is literal in Wasm";
    return null;
  }

  /** Not a member, and declared nowhere or in a library. */
  #isGlobal(node: Typescript.Identifier): boolean {
    if (this.#ts.isPropertyAccessExpression(node.parent) && node.parent.name === node) return false;
    const declarations = this.#checker.getSymbolAtLocation(node)?.declarations ?? [];
    return declarations.every((declaration) => declaration.getSourceFile().isDeclarationFile);
  }

  #typeFault(node: Typescript.Node): string | null {
    const ts = this.#ts;
    if (ts.isNonNullExpression(node)) {
      const nullable = parts(this.#checker.getTypeAtLocation(node.expression)).some((part) =>
        has(part, ts.TypeFlags.Null),
      );
      return nullable ? "! on a value that may be null traps in Wasm only" : null;
    }
    const condition = this.#conditionOf(node);
    if (condition !== null && !this.#isAll(condition, ts.TypeFlags.BooleanLike)) {
      return "a condition must be a boolean: an empty text is true in Wasm";
    }
    if (ts.isTemplateSpan(node) && !this.#isAll(node.expression, ts.TypeFlags.StringLike)) {
      return "only texts in templates: numbers print differently";
    }
    if (ts.isElementAccessExpression(node) && this.#isByte(node) && this.#inArithmetic(node)) {
      return "arithmetic on a byte is done in u8 by asc: copy it to an i32";
    }
    return this.#floatPrinted(node) ? "an f64 prints differently: toInt(x).toString()" : null;
  }

  /** What must be a boolean for this node to be right. */
  #conditionOf(node: Typescript.Node): Typescript.Node | null {
    const ts = this.#ts;
    if (ts.isIfStatement(node) || ts.isWhileStatement(node) || ts.isDoStatement(node)) return node.expression;
    if (ts.isForStatement(node)) return node.condition ?? null;
    if (ts.isConditionalExpression(node)) return node.condition;
    if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) return node.operand;
    if (!ts.isBinaryExpression(node)) return null;
    const operator = node.operatorToken.kind;
    const { AmpersandAmpersandToken, BarBarToken } = ts.SyntaxKind;
    return operator === AmpersandAmpersandToken || operator === BarBarToken ? node.left : null;
  }

  #isAll(node: Typescript.Node, flag: Typescript.TypeFlags): boolean {
    return parts(this.#checker.getTypeAtLocation(node)).every((part) => has(part, flag));
  }

  #isByte(node: Typescript.ElementAccessExpression): boolean {
    const type = this.#checker.getTypeAtLocation(node.expression);
    return this.#checker.typeToString(type).startsWith("Uint8Array");
  }

  #inArithmetic(node: Typescript.Node): boolean {
    const ts = this.#ts;
    let { parent } = node;
    while (ts.isNonNullExpression(parent) || ts.isParenthesizedExpression(parent)) ({ parent } = parent);
    if (!ts.isBinaryExpression(parent))
      return ts.isPrefixUnaryExpression(parent) || ts.isPostfixUnaryExpression(parent);
    return parent.operatorToken.kind !== ts.SyntaxKind.EqualsToken;
  }

  /** `x.toString()` where `x` was declared as f64; the alias is lost in the type, so the declaration is asked. */
  #floatPrinted(node: Typescript.Node): boolean {
    const ts = this.#ts;
    if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return false;
    if (node.expression.name.text !== "toString") return false;
    const symbol = this.#checker.getSymbolAtLocation(node.expression.expression);
    return (symbol?.declarations ?? []).some(
      (declaration) =>
        "type" in declaration && (declaration.type as Typescript.TypeNode | undefined)?.getText() === "f64",
    );
  }
}

const TYPE_ONLY = "type-only imports are unknown to asc";

function parts(type: Typescript.Type): readonly Typescript.Type[] {
  return type.isUnion() ? type.types : [type];
}

function has(type: Typescript.Type, flag: Typescript.TypeFlags): boolean {
  return (type.flags & flag) !== 0;
}
