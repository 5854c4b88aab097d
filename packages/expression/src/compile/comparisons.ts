import { compareTexts } from "../library/operators.ts";
import { Abnormal, merge, NO_SUCH_OVERLOAD } from "../values/abnormal.ts";
import { compareNumbers, isNumeric, valuesEqual } from "../values/equality.ts";
import { compareTimes, Duration, Timestamp } from "../values/time.ts";
import type { Result, Value } from "../values/value.ts";
import type { Code, Run } from "./frame.ts";

/** Comparisons are what telemetry expressions consist of: the common operands are compared without a detour. */
export function compileComparison(name: string, parts: readonly Code[]): Run | null {
  const [one, other] = parts;
  if (one === undefined || other === undefined) return null;
  switch (name) {
    case "_==_":
      return equality(one, other, true);
    case "_!=_":
      return equality(one, other, false);
    case "_<_":
      return ordered(one.run, other, (a, b) => a < b);
    case "_<=_":
      return ordered(one.run, other, (a, b) => a <= b);
    case "_>_":
      return ordered(one.run, other, (a, b) => a > b);
    case "_>=_":
      return ordered(one.run, other, (a, b) => a >= b);
    default:
      return null;
  }
}

function equality(one: Code, other: Code, wanted: boolean): Run {
  if (isSimple(one.constant)) return equalsConstant(other.run, one.constant, wanted);
  if (isSimple(other.constant)) return equalsConstant(one.run, other.constant, wanted);
  const first = one.run;
  const second = other.run;
  return (frame) => {
    const a = first(frame);
    const b = second(frame);
    if (a instanceof Abnormal) return b instanceof Abnormal ? merge(a, b) : a;
    if (b instanceof Abnormal) return b;
    return valuesEqual(a, b, frame) === wanted;
  };
}

type Simple = string | number | boolean;

function isSimple(value: Result | undefined): value is Simple {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

function equalsConstant(run: Run, constant: Simple, wanted: boolean): Run {
  const kind = typeof constant;
  return (frame) => {
    const value = run(frame);
    if (typeof value === kind) return (value === constant) === wanted;
    return value instanceof Abnormal ? value : valuesEqual(value, constant, frame) === wanted;
  };
}

type Holds = (a: number | bigint, b: number | bigint) => boolean;

function ordered(run: Run, other: Code, holds: Holds): Run {
  const { constant } = other;
  const second = other.run;
  if (typeof constant === "number") {
    return (frame) => {
      const value = run(frame);
      return typeof value === "number" ? holds(value, constant) : compare(value, constant, holds);
    };
  }
  return (frame) => compare(run(frame), second(frame), holds);
}

function compare(a: Result, b: Result, holds: Holds): Result {
  if (typeof a === "number" && typeof b === "number") return holds(a, b);
  if (a instanceof Abnormal) return b instanceof Abnormal ? merge(a, b) : a;
  if (b instanceof Abnormal) return b;
  const order = orderOf(a, b);
  return order === null ? NO_SUCH_OVERLOAD : holds(order, 0);
}

/** Null where the two have no order; NaN where one is NaN, of which nothing holds. */
function orderOf(a: Value, b: Value): number | null {
  if (isNumeric(a)) return isNumeric(b) ? compareNumbers(a, b) : null;
  if (typeof a === "string") return typeof b === "string" ? compareTexts(a, b) : null;
  if (typeof a === "boolean") return typeof b === "boolean" ? Number(a) - Number(b) : null;
  if (a instanceof Uint8Array) return b instanceof Uint8Array ? Buffer.compare(a, b) : null;
  if (a instanceof Timestamp) return b instanceof Timestamp ? compareTimes(a, b) : null;
  if (a instanceof Duration) return b instanceof Duration ? compareTimes(a, b) : null;
  return null;
}
