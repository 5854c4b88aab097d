import type * as Typescript from "typescript";

/** TypeScript's compiler; whoever calls has loaded it. */
export type Ts = typeof Typescript;

/**
 * Why a node is beyond AssemblyScript, with a cure; null where it is not, or where the compiler's own words say enough.
 * Its parser stops at many of these with no more than "expression expected".
 */
export function unknownSyntax(ts: Ts, node: Typescript.Node): string | null {
  if (ts.isOptionalChain(node)) return "AssemblyScript has no ?.: compare with null";
  if (ts.isBinaryExpression(node)) {
    const kind = node.operatorToken.kind;
    const { QuestionQuestionToken, QuestionQuestionEqualsToken, InKeyword } = ts.SyntaxKind;
    if (kind === QuestionQuestionToken || kind === QuestionQuestionEqualsToken) {
      return "AssemblyScript has no ??: compare with null";
    }
    return kind === InKeyword ? "AssemblyScript has no `in`: use a Map and has()" : null;
  }
  if (ts.isForOfStatement(node)) return "AssemblyScript has no for … of: count an index";
  if (ts.isForInStatement(node)) return "AssemblyScript has no for … in: keep an array of names";
  if (ts.isObjectBindingPattern(node) || ts.isArrayBindingPattern(node)) {
    return "AssemblyScript has no destructuring: name each field";
  }
  if (ts.isSpreadElement(node) || ts.isSpreadAssignment(node)) return "AssemblyScript has no spread: push each element";
  if (ts.isAwaitExpression(node)) return "AssemblyScript has no async functions: answers come by callbacks";
  if (ts.isPrivateIdentifier(node)) return "AssemblyScript has no #private names: use private";
  if (ts.isParameter(node) && node.questionToken !== undefined) {
    return "AssemblyScript has no optional parameters: give a default value";
  }
  return null;
}
