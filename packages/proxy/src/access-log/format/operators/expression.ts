import { Abnormal, Double, MapValue, type Result, Uint, type Value } from "@mixerless/expression";
import type { StreamExpressions } from "../../../expression/stream-expressions.ts";
import { printed } from "../../../expression/values.ts";
import { byteString } from "../../../extension-host/attributes/attribute.ts";
import type { OperatorFactory, OperatorTable, OperatorValue } from "../operator.ts";

/** `%CEL(expression)%` as text, `%TYPED_CEL(expression)%` with its type; `-` where the evaluation fails. */
export function expressionOperators(expressions: StreamExpressions | null): OperatorTable {
  return { CEL: operator(expressions, printed), TYPED_CEL: operator(expressions, typed) };
}

function operator(expressions: StreamExpressions | null, show: (value: Result) => OperatorValue): OperatorFactory {
  if (expressions === null) return () => "expressions are evaluated in access logs only";
  return (args) => {
    if (args === null) return "an expression is needed in brackets";
    const { evaluate, problem } = expressions.compile(args, "access_log");
    return problem ?? ((info) => show(evaluate(info)));
  };
}

/** Values may share their parts: a few of them can stand for more than a line holds. */
const MOST_PARTS = 1000;

function typed(value: Result): OperatorValue {
  return value instanceof Abnormal ? null : json(value, { left: MOST_PARTS });
}

/** As JSON. Strings become byte strings, as everything that is written; what is too much becomes null. */
function json(value: Value, parts: { left: number }): OperatorValue {
  if (--parts.left < 0) return null;
  if (typeof value === "number" || typeof value === "boolean") return value;
  if (value instanceof Double) return value.value;
  if (value instanceof Uint && typeof value.value === "number") return value.value;
  if (Array.isArray(value)) {
    const items: OperatorValue[] = [];
    for (const one of value) if (parts.left > 0) items.push(json(one, parts));
    return items;
  }
  return value instanceof MapValue ? mapJson(value, parts) : printed(value);
}

function mapJson(map: MapValue, parts: { left: number }): OperatorValue {
  const object: Record<string, OperatorValue> = {};
  for (const key of map.keys()) {
    const value = map.get(key);
    if (parts.left <= 0 || value === undefined || value instanceof Abnormal) continue;
    Object.defineProperty(object, byteString(String(printed(key))), { value: json(value, parts), enumerable: true });
  }
  return object;
}
