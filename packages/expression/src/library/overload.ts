import type { Type } from "../types/type.ts";
import { parseType } from "../types/type-text.ts";
import type { Result, Value } from "../values/value.ts";
import type { Work } from "../values/work.ts";

/** What a function does: it gets as many arguments as its signature says, the receiver first, and the budget last. */
export type Apply = (...args: never[]) => Result;

/** One signature of a function. */
export interface Overload {
  readonly name: string;
  /** Called as `receiver.name(…)`; the receiver is the first parameter. */
  readonly member: boolean;
  readonly params: readonly Type[];
  readonly result: Type;
  readonly apply: Apply;
  /** The last parameter may be repeated; `apply` gets its arguments as one list. */
  readonly variadic: boolean;
}

/** Functions by name, each with its signatures. */
export type Library = readonly Overload[];

/** `name(int, list(A)) -> A`. */
export function fn(signature: string, apply: Apply): Overload {
  return { ...readSignature(signature), member: false, variadic: false, apply };
}

/** `name(receiver, argument) -> result`, called as `receiver.name(argument)`. */
export function method(signature: string, apply: Apply): Overload {
  return { ...readSignature(signature), member: true, variadic: false, apply };
}

export function variadic(signature: string, apply: (values: readonly Value[], work: Work) => Result): Overload {
  return { ...readSignature(signature), member: false, variadic: true, apply };
}

function readSignature(signature: string): Pick<Overload, "name" | "params" | "result"> {
  const open = signature.indexOf("(");
  const arrow = signature.lastIndexOf(" -> ");
  const inner = signature.slice(open + 1, arrow - 1);
  return {
    name: signature.slice(0, open),
    params: inner === "" ? [] : splitParams(inner).map(parseType),
    result: parseType(signature.slice(arrow + 4)),
  };
}

function splitParams(text: string): string[] {
  const params: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "(") depth++;
    else if (text[i] === ")") depth--;
    else if (text[i] === "," && depth === 0) {
      params.push(text.slice(start, i));
      start = i + 1;
    }
  }
  params.push(text.slice(start));
  return params.map((param) => param.trim());
}
