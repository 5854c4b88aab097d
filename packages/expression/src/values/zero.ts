import { Duration, Timestamp } from "./time.ts";
import { Double, MapValue, MessageValue, OptionalValue, Uint, type Value } from "./value.ts";

/** Whether a value is what its type begins with. */
export function isZeroValue(value: Value): boolean {
  if (value === null || value === false || value === 0 || value === "") return true;
  if (value instanceof Double || value instanceof Uint) return value.value === 0;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0;
  if (value instanceof MapValue) return value.size === 0;
  if (value instanceof MessageValue) return value.isZero();
  if (value instanceof OptionalValue) return value.value === undefined;
  return (value instanceof Duration || value instanceof Timestamp) && value.seconds === 0 && value.nanos === 0;
}
