import type { Type } from "../types/type.ts";
import { Duration, Timestamp } from "../values/time.ts";
import { Double, MapValue, MessageValue, OptionalValue, TypeValue, Uint, type Value } from "../values/value.ts";

/** Whether a value can stand where a parameter is asked for, by what it is and not by what is in it. */
export function fits(param: Type | undefined, value: Value): boolean {
  switch (param?.kind) {
    case "string":
      return typeof value === "string";
    case "int":
      return typeof value === "number" || typeof value === "bigint";
    case "bool":
      return typeof value === "boolean";
    case "dyn":
    case "param":
      return true;
    case "null":
      return value === null;
    case "uint":
      return value instanceof Uint;
    case "double":
      return value instanceof Double;
    case "bytes":
      return value instanceof Uint8Array;
    case "timestamp":
      return value instanceof Timestamp;
    case "duration":
      return value instanceof Duration;
    case "list":
      return Array.isArray(value);
    case "map":
      return value instanceof MapValue;
    case "type":
      return value instanceof TypeValue;
    case "opaque":
      return param.name === "optional_type" && value instanceof OptionalValue;
    case "message":
      return value instanceof MessageValue && value.typeName === param.name;
    case "wrapper":
      return value === null || fits(param.of, value);
    case undefined:
      return false;
  }
}
