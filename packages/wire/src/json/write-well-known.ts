import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { protoCamelCase } from "@bufbuild/protobuf/reflect";
import type { Duration, FieldMask, ListValue, Struct, Timestamp, Value } from "@bufbuild/protobuf/wkt";
import { setOwn } from "../local-value.ts";

/** `"1.500s"`: no decimals, or three, six or nine. */
export function durationJson({ seconds, nanos }: Duration): string {
  const sign = seconds < 0n || nanos < 0 ? "-" : "";
  return `${sign}${seconds < 0n ? -seconds : seconds}${fraction(Math.abs(nanos))}s`;
}

/** RFC 3339 in UTC. Outside the years 1 to 9999, which JSON cannot say: seconds since the epoch. */
export function timestampJson({ seconds, nanos }: Timestamp): string {
  const milliseconds = Number(seconds) * 1000;
  const inRange = milliseconds >= -62_135_596_800_000 && milliseconds <= 253_402_300_799_000;
  if (!inRange) return `${seconds}${fraction(nanos)}s`;
  return `${new Date(milliseconds).toISOString().slice(0, 19)}${fraction(nanos)}Z`;
}

export function fieldMaskJson({ paths }: FieldMask): string {
  return paths.map(protoCamelCase).join(",");
}

export function structJson(struct: Struct): JsonObject {
  const json: JsonObject = {};
  for (const key of Object.keys(struct.fields).sort()) {
    const value = struct.fields[key];
    if (value !== undefined) setOwn(json, key, valueJson(value));
  }
  return json;
}

export function listJson(list: ListValue): JsonValue[] {
  return list.values.map(valueJson);
}

export function valueJson({ kind }: Value): JsonValue {
  switch (kind.case) {
    case "structValue":
      return structJson(kind.value);
    case "listValue":
      return listJson(kind.value);
    case "numberValue":
      return Number.isFinite(kind.value) ? kind.value : String(kind.value);
    case "stringValue":
    case "boolValue":
      return kind.value;
    default:
      return null;
  }
}

function fraction(nanos: number): string {
  if (nanos === 0) return "";
  const digits = String(nanos).padStart(9, "0");
  return `.${digits.replace(/(?:000){1,2}$/, "")}`;
}
