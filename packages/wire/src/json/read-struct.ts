import { create, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import {
  type ListValue,
  ListValueSchema,
  NullValue,
  type Struct,
  StructSchema,
  type Value,
  ValueSchema,
} from "@bufbuild/protobuf/wkt";
import { setOwn } from "../local-value.ts";

// google.protobuf.Struct, Value and ListValue from JSON that was copied and checked (see JsonDecoder).

/** The message form of a JSON object. */
export function structFromJson(json: JsonObject): Struct {
  const struct = create(StructSchema);
  for (const key of Object.keys(json)) setOwn(struct.fields, key, valueFromJson(json[key] ?? null));
  return struct;
}

/** The message form of a JSON list. */
export function listFromJson(json: readonly JsonValue[]): ListValue {
  return create(ListValueSchema, { values: json.map(valueFromJson) });
}

/** The message form of any JSON value. */
export function valueFromJson(json: JsonValue): Value {
  return create(ValueSchema, { kind: kindOf(json) });
}

function kindOf(json: JsonValue): Value["kind"] {
  if (json === null) return { case: "nullValue", value: NullValue.NULL_VALUE };
  if (typeof json === "string") return { case: "stringValue", value: json };
  if (typeof json === "number") return { case: "numberValue", value: json };
  if (typeof json === "boolean") return { case: "boolValue", value: json };
  if (Array.isArray(json)) return { case: "listValue", value: listFromJson(json) };
  return { case: "structValue", value: structFromJson(json) };
}
