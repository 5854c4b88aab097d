import type { Overload } from "../library/overload.ts";
import { suggestion } from "../nearest-name.ts";
import { type CallNode, type Node, qualifiedName } from "../syntax/ast.ts";
import { BOOL, DYN, optionalOf, paramsOf, type Type, typeText, withParams } from "../types/type.ts";
import type { Checker } from "./checker.ts";
import type { Note } from "./note.ts";

/** Operators whose evaluation is not a matter of overloads. */
export function checkCall(checker: Checker, node: CallNode, note: Note): Type {
  switch (node.name) {
    case "_||_":
    case "_&&_":
      for (const arg of node.args) checker.expect(arg, BOOL, `what ${node.name.replaceAll("_", "")} combines`);
      return BOOL;
    case "_?_:_":
      return checkConditional(checker, node);
    case "_[_]":
    case "_[?_]": {
      const type = checkFieldIndex(checker, node);
      if (type !== null) return type;
    }
  }
  return resolve(checker, node, note);
}

function checkConditional(checker: Checker, node: CallNode): Type {
  const [condition, yes, no] = node.args as [Node, Node, Node];
  checker.expect(condition, BOOL, "the condition before ?");
  const one = checker.check(yes);
  const other = checker.check(no);
  if (checker.substitution.assign(one, other)) return checker.substitution.mostGeneral(one, other);
  return checker.fault(
    node.offset,
    `the two values of ? differ in type: ${checker.text(one)} and ${checker.text(other)}`,
  );
}

/** `object['field']` of an object whose fields are declared; null for every other index. */
function checkFieldIndex(checker: Checker, node: CallNode): Type | null {
  const [operand, index] = node.args as [Node, Node];
  const type = checker.substitution.apply(checker.check(operand));
  if (type.kind !== "message" || !checker.environment.types.isIndexable(type.name)) return null;
  if (index.kind !== "constant" || typeof index.value !== "string") return null;
  checker.check(index);
  const field = checker.fieldType(type, { field: index.value, offset: index.offset });
  return node.name === "_[?_]" ? optionalOf(field) : field;
}

function resolve(checker: Checker, node: CallNode, note: Note): Type {
  const { name, member } = functionOf(checker, node);
  note.member = member;
  const overloads = (checker.environment.functions.find(name) ?? []).filter((overload) => overload.member === member);
  const args = member && node.target !== null ? [node.target, ...node.args] : node.args;
  if (overloads.length === 0 && checker.options.checks !== "none") return unknownFunction(checker, node, name, member);
  const types = args.map((arg) => checker.notes.get(arg)?.type ?? checker.check(arg));
  const fitting = matching(checker, overloads, types);
  // Without checks the values decide among all.
  note.overloads = fitting.overloads.length > 0 || checker.options.checks === "all" ? fitting.overloads : overloads;
  if (fitting.type !== null) return fitting.type;
  return checker.fault(node.offset, noOverload(checker, name, member, types, overloads));
}

/** A call on a name may be a function in a namespace: `math.greatest(1, 2)`. */
function functionOf(checker: Checker, node: CallNode): { readonly name: string; readonly member: boolean } {
  if (node.target === null) return { name: checker.scope.findFunction(node.name) ?? node.name, member: false };
  const namespace = qualifiedName(node.target);
  if (namespace !== null && checker.scope.local(namespace.split(".", 1)[0] ?? "") === null) {
    const name = checker.scope.findFunction(`${namespace}.${node.name}`);
    if (name !== null) return { name, member: false };
  }
  return { name: node.name, member: true };
}

function matching(
  checker: Checker,
  overloads: readonly Overload[],
  types: readonly Type[],
): { readonly overloads: readonly Overload[]; readonly type: Type | null } {
  const found: Overload[] = [];
  let result: Type | null = null;
  for (const overload of overloads) {
    const names = new Map<string, Type>();
    const params = parameters(overload, types.length).map((param) => renamed(checker, param, names));
    if (!checker.substitution.assignAll(types, params)) continue;
    found.push(overload);
    const type = renamed(checker, overload.result, names);
    if (result === null) result = type;
    else if (typeText(result) !== typeText(type)) result = DYN;
  }
  return { overloads: found, type: result };
}

/** As many parameters as there are arguments, where the last may be repeated. */
function parameters({ params, variadic }: Overload, count: number): readonly Type[] {
  if (!variadic || count < params.length) return params;
  const last = params.at(-1) ?? DYN;
  return [...params, ...Array.from({ length: count - params.length }, () => last)];
}

/** Each use of a signature has variables of its own. */
function renamed(checker: Checker, type: Type, names: Map<string, Type>): Type {
  if (type.kind === "param") {
    const known = names.get(type.name) ?? checker.fresh();
    names.set(type.name, known);
    return known;
  }
  const params = paramsOf(type);
  return params.length === 0
    ? type
    : withParams(
        type,
        params.map((param) => renamed(checker, param, names)),
      );
}

function unknownFunction(checker: Checker, node: CallNode, name: string, member: boolean): Type {
  const near = suggestion(name, checker.environment.functions.names(member));
  return checker.hardFault(node.offset, `there is no function "${name}"${member ? " on a value" : ""}${near}`);
}

const SIGN = /^[_@!-]/;

function noOverload(
  checker: Checker,
  name: string,
  member: boolean,
  types: readonly Type[],
  overloads: readonly Overload[],
): string {
  const given = types.map((type) => checker.text(type));
  if (SIGN.test(name)) {
    const sign = name.replace("@", "").replaceAll("_", "").replace("[?]", "[]");
    return `"${sign}" cannot be applied to ${given.join(" and ")}${cure(name, given)}`;
  }
  const shown = overloads.slice(0, 3).map((overload) => signature(overload));
  const call = member ? `${given[0]}.${name}(${given.slice(1).join(", ")})` : `${name}(${given.join(", ")})`;
  return `there is no ${call}; there is ${shown.join(", ")}`;
}

function signature({ name, member, params, result }: Overload): string {
  const texts = params.map(typeText);
  const call = member ? `${texts[0]}.${name}(${texts.slice(1).join(", ")})` : `${name}(${texts.join(", ")})`;
  return `${call} -> ${typeText(result)}`;
}

/** The two conversions that expressions on attributes most often lack. */
function cure(name: string, given: readonly string[]): string {
  if (name === "_+_" && given.includes("string") && given.length === 2) return "; convert with string(…)";
  const numbers = given.filter((type) => ["int", "uint", "double"].includes(type));
  if (numbers.length === 1 && given.includes("string")) return "; convert with int(…) or string(…)";
  if (numbers.length === 2) return `; convert with ${numbers[0]}(…)`;
  return "";
}
