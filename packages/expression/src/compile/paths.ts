import type { Node } from "../syntax/ast.ts";
import { Abnormal, Failure } from "../values/abnormal.ts";
import type { AttributeReader } from "./attribute-source.ts";
import type { Compiler } from "./compiler.ts";
import { type Code, varying } from "./frame.ts";

/** What stands below an attribute, which is the case for maps, objects and what only the values tell. */
const OPEN = new Set(["map", "message", "dyn"]);

/** Attributes below a variable, as far as the path is fixed: `request.headers['host']`. */
export function attributePath(compiler: Compiler, node: Node): string[] | null {
  const { reference } = compiler.note(node);
  if (reference?.kind === "variable") return [reference.name];
  const step = stepOf(node);
  if (step === null || reference !== undefined || !OPEN.has(compiler.kind(step.operand))) return null;
  const path = attributePath(compiler, step.operand);
  path?.push(step.key);
  return path;
}

function stepOf(node: Node): { readonly operand: Node; readonly key: string } | null {
  if (node.kind === "select") return node.test || node.optional ? null : { operand: node.operand, key: node.field };
  if (node.kind !== "call" || node.name !== "_[_]") return null;
  const [operand, index] = node.args;
  if (operand === undefined || index?.kind !== "constant") return null;
  // A list's index is a step, too: services[0].
  if (typeof index.value === "number" && index.value >= 0) return { operand, key: String(index.value) };
  return typeof index.value === "string" ? { operand, key: index.value } : null;
}

/** A reader for a path that the host reaches in one step; null where there is none. */
export function pathReader(compiler: Compiler, node: Node): { path: string[]; read: AttributeReader<unknown> } | null {
  const path = attributePath(compiler, node);
  if (path === null) return null;
  const read = compiler.attributes.resolve(path) as AttributeReader<unknown> | null;
  return read === null ? null : { path, read };
}

/** Null where the node is no such path. */
export function compilePath(compiler: Compiler, node: Node): Code | null {
  const found = pathReader(compiler, node);
  if (found === null) return null;
  const { read, path } = found;
  const failure = absent(path);
  return varying((frame) => {
    const value = read(frame.source);
    return value === undefined ? failure : value;
  });
}

export function absent(path: readonly string[]): Failure {
  return new Failure(`no such attribute here: ${path.join(".")}`);
}

/** `has(path)`: the attribute is there; if it is not, what it would stand in must be. */
export function compilePathTest(compiler: Compiler, operand: Node, field: string): Code | null {
  const parent = attributePath(compiler, operand);
  if (parent === null || !OPEN.has(compiler.kind(operand))) return null;
  const path = [...parent, field];
  const read = compiler.attributes.resolve(path) as AttributeReader<unknown> | null;
  if (read === null) return null;
  // An object with declared fields, such as request, is always there.
  const above =
    compiler.kind(operand) === "message"
      ? null
      : (compiler.attributes.resolve(parent) as AttributeReader<unknown> | null);
  const failure = absent(parent);
  return varying(({ source }) => {
    const value = read(source);
    if (value instanceof Abnormal) return value;
    if (value !== undefined) return true;
    return above !== null && above(source) === undefined ? failure : false;
  });
}
