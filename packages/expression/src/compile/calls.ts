import { elementAt, noSuchKey } from "../library/operators.ts";
import type { Overload } from "../library/overload.ts";
import { compileSearch } from "../library/regex.ts";
import type { CallNode, Node } from "../syntax/ast.ts";
import { Abnormal, Failure, merge, NO_SUCH_OVERLOAD } from "../values/abnormal.ts";
import { MapValue, MessageValue, NONE, OptionalValue, type Result, type Value } from "../values/value.ts";
import type { Work } from "../values/work.ts";
import { compileComparison } from "./comparisons.ts";
import type { Compiler } from "./compiler.ts";
import { fits } from "./fits.ts";
import type { Code, Run } from "./frame.ts";
import { compileConditional, compileLogic } from "./logic.ts";
import { compileMembership } from "./membership.ts";
import { optionalField, selectField } from "./select.ts";

export function compileCall(compiler: Compiler, node: CallNode): Code {
  const parts = argumentsOf(compiler, node).map((arg) => compiler.compile(arg));
  const [first, second, third] = parts;
  switch (node.name) {
    case "_||_":
      return compileLogic(parts, true);
    case "_&&_":
      return compileLogic(parts, false);
    case "_?_:_":
      return compileConditional(first as Code, second as Code, third as Code);
    case "_[_]":
      return compiler.fold(index(first as Code, second as Code), parts);
    case "_[?_]":
      return compiler.fold(optionalIndex(first as Code, second as Code), parts);
    case "@in":
      return compiler.fold(compileMembership(first as Code, second as Code), parts);
  }
  const special = compileComparison(node.name, parts) ?? compileMatches(node.name, parts);
  return compiler.fold(special ?? dispatch(compiler.note(node).overloads ?? [], parts), parts);
}

function argumentsOf(compiler: Compiler, node: CallNode): readonly Node[] {
  return compiler.note(node).member === true && node.target !== null ? [node.target, ...node.args] : node.args;
}

/** Calls the overload that the values fit. */
function dispatch(overloads: readonly Overload[], parts: readonly Code[]): Run {
  const runs = parts.map(({ run }) => run);
  const candidates = overloads.filter(({ params, variadic }) => variadic || params.length === parts.length);
  const [only] = candidates;
  if (candidates.length === 1 && only !== undefined && !only.variadic) {
    const [first, second] = runs;
    if (runs.length === 1 && first !== undefined) return unary(only, first);
    if (runs.length === 2 && first !== undefined && second !== undefined) return binary(only, first, second);
  }
  return (frame) => {
    const values: Value[] = [];
    let abnormal: Abnormal | null = null;
    for (const run of runs) {
      const value = run(frame);
      if (value instanceof Abnormal) abnormal = abnormal === null ? value : merge(abnormal, value);
      else values.push(value);
    }
    if (abnormal !== null) return abnormal;
    for (const overload of candidates) {
      if (overload.variadic) {
        const required = overload.params.length;
        if (
          values.length < required ||
          !values.every((value, i) => fits(overload.params[Math.min(i, required - 1)], value))
        )
          continue;
        return (overload.apply as (values: readonly Value[], work: Work) => Result)(values, frame);
      }
      if (values.every((value, i) => fits(overload.params[i], value)))
        return (overload.apply as (...values: unknown[]) => Result)(...values, frame);
    }
    return NO_SUCH_OVERLOAD;
  };
}

function unary({ params, apply }: Overload, run: Run): Run {
  const [param] = params;
  const call = apply as (value: Value, work: Work) => Result;
  return (frame) => {
    const value = run(frame);
    if (value instanceof Abnormal) return value;
    return fits(param, value) ? call(value, frame) : NO_SUCH_OVERLOAD;
  };
}

function binary({ params, apply }: Overload, one: Run, other: Run): Run {
  const [first, second] = params;
  const call = apply as (a: Value, b: Value, work: Work) => Result;
  return (frame) => {
    const a = one(frame);
    const b = other(frame);
    if (a instanceof Abnormal) return b instanceof Abnormal ? merge(a, b) : a;
    if (b instanceof Abnormal) return b;
    return fits(first, a) && fits(second, b) ? call(a, b, frame) : NO_SUCH_OVERLOAD;
  };
}

/** `matches` with a pattern that never changes: compiled once. */
function compileMatches(name: string, parts: readonly Code[]): Run | null {
  const [text, pattern] = parts;
  if (name !== "matches" || text === undefined || typeof pattern?.constant !== "string") return null;
  const search = compileSearch(pattern.constant);
  return (frame) => {
    const value = text.run(frame);
    if (typeof value === "string") return search instanceof Failure ? search : search(value, frame);
    return value instanceof Abnormal ? value : NO_SUCH_OVERLOAD;
  };
}

function strict(one: Code, other: Code, apply: (a: Value, b: Value) => Result): Run {
  return (frame) => {
    const a = one.run(frame);
    const b = other.run(frame);
    if (a instanceof Abnormal) return b instanceof Abnormal ? merge(a, b) : a;
    return b instanceof Abnormal ? b : apply(a, b);
  };
}

function index(operand: Code, key: Code): Run {
  return strict(operand, key, indexed);
}

function indexed(value: Value, key: Value): Result {
  if (value instanceof MapValue) {
    const found = value.get(key);
    return found === undefined ? noSuchKey(key) : found;
  }
  if (Array.isArray(value)) return elementAt(value, key);
  if (value instanceof OptionalValue) return optionalIndexed(value, key);
  return value instanceof MessageValue && typeof key === "string" ? selectField(value, key) : NO_SUCH_OVERLOAD;
}

function optionalIndex(operand: Code, key: Code): Run {
  return strict(operand, key, optionalIndexed);
}

function optionalIndexed(value: Value, key: Value): Result {
  if (value instanceof OptionalValue) return value.value === undefined ? NONE : optionalIndexed(value.value, key);
  if (value instanceof MapValue) {
    const found = value.get(key);
    return found === undefined ? NONE : found instanceof Abnormal ? found : new OptionalValue(found);
  }
  if (Array.isArray(value)) {
    const found = elementAt(value, key);
    return found instanceof Abnormal ? NONE : new OptionalValue(found);
  }
  return value instanceof MessageValue && typeof key === "string" ? optionalField(value, key) : NO_SUCH_OVERLOAD;
}
