import { Double, Uint, type Value } from "../values/value.ts";
import { BOOL, BYTES, DOUBLE, DYN, INT, NULL, STRING, type Type, UINT } from "./type.ts";

/** The type of a literal. */
export function typeOfValue(value: Value): Type {
  if (value === null) return NULL;
  switch (typeof value) {
    case "boolean":
      return BOOL;
    case "string":
      return STRING;
    case "number":
    case "bigint":
      return INT;
    default:
      if (value instanceof Double) return DOUBLE;
      if (value instanceof Uint) return UINT;
      return value instanceof Uint8Array ? BYTES : DYN;
  }
}
