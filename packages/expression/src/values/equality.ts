import { bytesEqual } from "./bytes.ts";
import { compareTimes, Duration, Timestamp } from "./time.ts";
import { Double, MapValue, MessageValue, OptionalValue, TypeValue, Uint, type Value } from "./value.ts";
import type { Work } from "./work.ts";

/** Numbers are equal across types, other values only within theirs; NaN equals nothing. */
export function valuesEqual(a: Value, b: Value, work: Work): boolean {
  if (a === null || typeof a !== "object") {
    if (a === b) return true;
    // Two ints of one form that are not identical are not equal, nor are two texts.
    if (typeof a === typeof b) return false;
  }
  if (a === null || b === null || typeof a === "string" || typeof b === "string") return false;
  if (typeof a === "boolean" || typeof b === "boolean") return false;
  if (isNumeric(a)) return isNumeric(b) && compareNumbers(a, b) === 0;
  if (Array.isArray(a)) return Array.isArray(b) && listsEqual(a, b, work);
  if (a instanceof MapValue) return b instanceof MapValue && mapsEqual(a, b, work);
  if (a instanceof Uint8Array) return b instanceof Uint8Array && bytesEqual(a, b);
  if (a instanceof Duration) return b instanceof Duration && compareTimes(a, b) === 0;
  if (a instanceof Timestamp) return b instanceof Timestamp && compareTimes(a, b) === 0;
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name;
  if (a instanceof OptionalValue) return b instanceof OptionalValue && optionalsEqual(a, b, work);
  return a instanceof MessageValue && b instanceof MessageValue && a.equals(b);
}

export type Numeric = number | bigint | Double | Uint;

export function isNumeric(value: Value): value is Numeric {
  return typeof value === "number" || typeof value === "bigint" || value instanceof Double || value instanceof Uint;
}

/** Negative, zero or positive; NaN where one of them is. */
export function compareNumbers(a: Numeric, b: Numeric): number {
  let one = bare(a);
  let other = bare(b);
  // Against a double an int is one too, as far as that is exact: the language compares so.
  if (a instanceof Double || b instanceof Double) {
    one = Number(one);
    other = Number(other);
  }
  if (one < other) return -1;
  if (one > other) return 1;
  return Number.isNaN(one) || Number.isNaN(other) ? Number.NaN : 0;
}

function bare(value: Numeric): number | bigint {
  return typeof value === "object" ? value.value : value;
}

function listsEqual(a: readonly Value[], b: readonly Value[], work: Work): boolean {
  if (a.length !== b.length) return false;
  work.spend(a.length);
  return a.every((value, i) => valuesEqual(value, b[i] as Value, work));
}

function mapsEqual(a: MapValue, b: MapValue, work: Work): boolean {
  if (a.size !== b.size) return false;
  work.spend(a.size);
  for (const key of a.keys()) {
    const one = a.get(key);
    const other = b.get(key);
    if (one === undefined || other === undefined || !valuesEqual(one as Value, other as Value, work)) return false;
  }
  return true;
}

function optionalsEqual(a: OptionalValue, b: OptionalValue, work: Work): boolean {
  if (a.value === undefined || b.value === undefined) return a.value === b.value;
  return valuesEqual(a.value, b.value, work);
}
