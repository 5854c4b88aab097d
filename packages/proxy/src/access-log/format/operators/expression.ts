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

const MOST_DEPTH = 8;

function typed(value: Result): OperatorValue {
  return value instanceof Abnormal ? null : json(value, 0);
}

/** As JSON. Strings become byte strings, as everything that is written. */
function json(value: Value, depth: number): OperatorValue {
  if (typeof value === "number" || typeof value === "boolean") return value;
  if (value instanceof Double || (value instanceof Uint && typeof value.value === "number"))
    return value.value as number;
  if (depth < MOST_DEPTH && Array.isArray(value)) return value.map((one) => json(one, depth + 1));
  return depth < MOST_DEPTH && value instanceof MapValue ? mapJson(value, depth) : printed(value);
}

function mapJson(map: MapValue, depth: number): OperatorValue {
  const object: Record<string, OperatorValue> = {};
  for (const key of map.keys()) {
    const value = map.get(key);
    if (value === undefined || value instanceof Abnormal) continue;
    Object.defineProperty(object, byteString(String(printed(key))), {
      value: json(value, depth + 1),
      enumerable: true,
    });
  }
  return object;
}
