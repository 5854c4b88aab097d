import { createRequire } from "node:module";
import { join } from "node:path";
import { repository } from "./extensions.mjs";

const ts = createRequire(join(repository, "package.json"))("typescript");
const { SyntaxKind: K } = ts;

// What both compilers accept and understand differently, or what only one of them can run. What asc refuses by itself
// (closures, `for…of`, `?.`, unions …) needs no rule here.
const FORBIDDEN_GLOBALS = new Set([
  ...["Date", "console", "process", "Buffer", "JSON", "RegExp", "Intl", "BigInt", "globalThis", "performance"],
  ...["setTimeout", "setInterval", "queueMicrotask", "Promise", "TextEncoder", "TextDecoder", "undefined"],
]);
const NARROW_TYPES = new Set(["u8", "u16", "u32", "i8", "i16", "number"]);
const INTEGER_TYPES = new Set(["i32", "u32", "u8", "i8", "u16", "i16", "usize", "isize"]);
const ROUNDING = new Set(["toInt", "Math.floor", "Math.ceil", "Math.trunc", "Math.round"]);

/** The faults of these files (relative to the repository): where, which rule, which text. */
export function checkSubset(files) {
  const names = files.map((file) => join(repository, file));
  const program = ts.createProgram(names, compilerOptions());
  const checker = program.getTypeChecker();
  return files.flatMap((file, i) => checkFile(file, program.getSourceFile(names[i]), checker));
}

function compilerOptions() {
  const read = ts.readConfigFile(join(repository, "tsconfig.base.json"), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(read.config.compilerOptions, repository);
  return { ...options, composite: false, incremental: false, noEmit: true, types: [] };
}

function checkFile(file, source, checker) {
  const faults = [];
  const report = (node, rule) => {
    const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
    faults.push({ file, line, rule, text: node.getText(source).split("\n")[0] });
  };
  const visit = (node) => {
    const rule = fault(node, checker);
    if (rule !== null) report(node, rule);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return faults;
}

/** The rule that a node breaks, or null. */
function fault(node, checker) {
  return syntaxFault(node) ?? nameFault(node, checker) ?? typeFault(node, checker);
}

function syntaxFault(node) {
  switch (node.kind) {
    case K.ImportClause:
    case K.ImportSpecifier:
    case K.ExportSpecifier:
    case K.ExportDeclaration:
      return node.isTypeOnly || node.phaseModifier === K.TypeKeyword ? "type-only imports are unknown to asc" : null;
    case K.TryStatement:
      return "asc has no try";
    case K.RegularExpressionLiteral:
      return "asc has no regular expressions";
    case K.BinaryExpression:
      return operatorFault(node);
    case K.AsExpression:
    case K.TypeAssertionExpression:
      return integerCast(node) ? "a cast to an integer cuts in Wasm only: use toInt" : null;
    case K.TypeReference:
      return NARROW_TYPES.has(node.typeName.text) ? "only i32 and f64 behave alike" : null;
    case K.NumberKeyword:
      return "number is f64 to asc: say i32 or f64";
    case K.NewExpression:
      return arrayWithLength(node) ? "new Array(n) has holes in process: use push" : null;
    case K.VariableStatement:
      return moduleVariable(node) ? "module state is shared by all instances in process" : null;
    default:
      return null;
  }
}

function operatorFault(node) {
  const operator = node.operatorToken.kind;
  if (operator === K.SlashToken && !isRounded(node)) return "division of integers cuts in Wasm only: (a / b) | 0";
  if (operator === K.SlashEqualsToken) return "division of integers cuts in Wasm only: (a / b) | 0";
  const zero = ts.isNumericLiteral(node.right) && node.right.text === "0";
  if (operator === K.GreaterThanGreaterThanGreaterThanToken && zero) return ">>> 0 leaves an i32 negative in Wasm";
  return null;
}

/** Under `| 0`, or the argument of something that cuts alike in both forms. */
function isRounded(node) {
  const parent = skipParentheses(node.parent);
  if (ts.isBinaryExpression(parent) && parent.operatorToken.kind === K.BarToken) return parent.right.getText() === "0";
  return ts.isCallExpression(parent) && ROUNDING.has(parent.expression.getText());
}

function skipParentheses(node) {
  return ts.isParenthesizedExpression(node) ? skipParentheses(node.parent) : node;
}

function integerCast(node) {
  return ts.isTypeReferenceNode(node.type) && INTEGER_TYPES.has(node.type.typeName.getText());
}

function arrayWithLength(node) {
  return node.expression.getText() === "Array" && (node.arguments?.length ?? 0) > 0;
}

function moduleVariable(node) {
  return ts.isSourceFile(node.parent) && (node.declarationList.flags & ts.NodeFlags.Const) === 0;
}

function nameFault(node, checker) {
  if (ts.isIdentifier(node) && FORBIDDEN_GLOBALS.has(node.text) && isGlobal(node, checker)) {
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
function isGlobal(node, checker) {
  if (ts.isPropertyAccessExpression(node.parent) && node.parent.name === node) return false;
  const declarations = checker.getSymbolAtLocation(node)?.declarations ?? [];
  return declarations.every((declaration) => declaration.getSourceFile().isDeclarationFile);
}

function typeFault(node, checker) {
  if (ts.isNonNullExpression(node)) {
    const type = checker.getTypeAtLocation(node.expression);
    return hasFlag(type, ts.TypeFlags.Null) ? "! on a value that may be null traps in Wasm only" : null;
  }
  const condition = conditionOf(node);
  if (condition !== null && !isBoolean(checker.getTypeAtLocation(condition))) {
    return "a condition must be a boolean: an empty text is true in Wasm";
  }
  if (ts.isTemplateSpan(node) && !isText(checker.getTypeAtLocation(node.expression))) {
    return "only texts in templates: numbers print differently";
  }
  if (ts.isElementAccessExpression(node) && isByte(node, checker) && inArithmetic(node)) {
    return "arithmetic on a byte is done in u8 by asc: copy it to an i32";
  }
  return floatPrinted(node, checker) ? "an f64 prints differently: toInt(x).toString()" : null;
}

/** What must be a boolean for this node to be right. */
function conditionOf(node) {
  if (ts.isIfStatement(node) || ts.isWhileStatement(node) || ts.isDoStatement(node)) return node.expression;
  if (ts.isForStatement(node)) return node.condition ?? null;
  if (ts.isConditionalExpression(node)) return node.condition;
  if (ts.isPrefixUnaryExpression(node) && node.operator === K.ExclamationToken) return node.operand;
  if (!ts.isBinaryExpression(node)) return null;
  const logical = [K.AmpersandAmpersandToken, K.BarBarToken].includes(node.operatorToken.kind);
  return logical ? node.left : null;
}

function parts(type) {
  return type.isUnion() ? type.types : [type];
}

function hasFlag(type, flag) {
  return parts(type).some((part) => (part.flags & flag) !== 0);
}

function isBoolean(type) {
  return parts(type).every((part) => (part.flags & ts.TypeFlags.BooleanLike) !== 0);
}

function isText(type) {
  return parts(type).every((part) => (part.flags & ts.TypeFlags.StringLike) !== 0);
}

function isByte(node, checker) {
  return checker.typeToString(checker.getTypeAtLocation(node.expression)).startsWith("Uint8Array");
}

function inArithmetic(node) {
  let parent = node.parent;
  while (ts.isNonNullExpression(parent) || ts.isParenthesizedExpression(parent)) parent = parent.parent;
  if (!ts.isBinaryExpression(parent)) return ts.isPrefixUnaryExpression(parent) || ts.isPostfixUnaryExpression(parent);
  return parent.operatorToken.kind !== K.EqualsToken;
}

/** `x.toString()` where `x` was declared as f64; the alias is lost in the type, so the declaration is asked. */
function floatPrinted(node, checker) {
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return false;
  if (node.expression.name.text !== "toString") return false;
  const symbol = checker.getSymbolAtLocation(node.expression.expression);
  return (symbol?.declarations ?? []).some((declaration) => declaration.type?.getText() === "f64");
}
