import { noSuchKey } from "../library/operators.ts";
import type { SelectNode } from "../syntax/ast.ts";
import { Abnormal, Failure, NO_SUCH_OVERLOAD } from "../values/abnormal.ts";
import { MapValue, MessageValue, NONE, OptionalValue, type Result, type Value } from "../values/value.ts";
import type { Compiler } from "./compiler.ts";
import type { Code } from "./frame.ts";
import { compilePathTest } from "./paths.ts";

export function compileSelect(compiler: Compiler, node: SelectNode): Code {
  const { field, test, optional } = node;
  const path = test ? compilePathTest(compiler, node.operand, field) : null;
  if (path !== null) return path;
  const operand = compiler.compile(node.operand);
  const apply = test ? hasField : optional ? optionalField : selectField;
  return compiler.fold(
    (frame) => {
      const value = operand.run(frame);
      return value instanceof Abnormal ? value : apply(value, field);
    },
    [operand],
  );
}

/** The field, undefined where it is not there, or the failure that there can be none. */
function lookUp(value: Value, field: string): Result | undefined {
  if (value instanceof MapValue) return value.get(field);
  if (!(value instanceof MessageValue)) return NO_SUCH_OVERLOAD;
  return value.has(field) === undefined ? noSuchField(value, field) : value.get(field);
}

function noSuchField({ typeName }: MessageValue, field: string): Failure {
  return new Failure(`no such field: ${typeName} has no "${field}"`);
}

export function selectField(value: Value, field: string): Result {
  if (value instanceof OptionalValue) return optionalField(value, field);
  const found = lookUp(value, field);
  return found === undefined ? noSuchKey(field) : found;
}

function hasField(value: Value, field: string): Result {
  if (value instanceof OptionalValue) return value.value === undefined ? false : hasField(value.value, field);
  if (value instanceof MapValue) return value.get(field) !== undefined;
  if (!(value instanceof MessageValue)) return NO_SUCH_OVERLOAD;
  return value.has(field) ?? noSuchField(value, field);
}

/** `value.?field`: an optional that is empty where the field is not set. */
export function optionalField(value: Value, field: string): Result {
  if (value instanceof OptionalValue) return value.value === undefined ? NONE : optionalField(value.value, field);
  const there = hasField(value, field);
  if (there instanceof Abnormal) return there;
  if (!there) return NONE;
  const found = lookUp(value, field);
  return found === undefined || found instanceof Abnormal ? (found ?? NONE) : new OptionalValue(found);
}
