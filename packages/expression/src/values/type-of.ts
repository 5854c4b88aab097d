import { Duration, Timestamp } from "./time.ts";
import { Double, MapValue, type MessageValue, OptionalValue, TypeValue, Uint, type Value } from "./value.ts";

/** The name of a value's type. */
export function typeNameOf(value: Value): string {
  if (value === null) return "null_type";
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "string":
      return "string";
    case "number":
    case "bigint":
      return "int";
    default:
      return typeNameOfObject(value);
  }
}

function typeNameOfObject(value: Exclude<Value, null | boolean | string | number | bigint>): string {
  if (Array.isArray(value)) return "list";
  if (value instanceof MapValue) return "map";
  if (value instanceof Double) return "double";
  if (value instanceof Uint) return "uint";
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof Duration) return "google.protobuf.Duration";
  if (value instanceof Timestamp) return "google.protobuf.Timestamp";
  if (value instanceof TypeValue) return "type";
  if (value instanceof OptionalValue) return "optional_type";
  return (value as MessageValue).typeName;
}
