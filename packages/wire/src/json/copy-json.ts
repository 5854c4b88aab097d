import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { FieldPath } from "../field-path.ts";
import { setOwn } from "../local-value.ts";
import { type DecodeState, failed } from "./decode-state.ts";
import { readString } from "./read-scalar.ts";
import { isJsonObject, wrongType } from "./refusal.ts";

// google.protobuf.Struct and its relatives hold any JSON. It is copied, so that the message does not
// share objects with its source, and checked: JSON only, not too deep, not too much.

// On the wire each level is a Struct or ListValue with a Value in it.
const messagesPerLevel = 2;

/** A checked copy of a JSON object. */
export function copyJsonObject(state: DecodeState, json: unknown, path: FieldPath): JsonObject | typeof failed {
  if (!isJsonObject(json)) return state.refuse(path, wrongType("an object", json));
  return state.nested(path, messagesPerLevel, () => {
    const copy: JsonObject = {};
    for (const key of Object.keys(json)) {
      if (json[key] === undefined) continue;
      const value = copyJsonValue(state, json[key], path.field(key));
      if (value === failed || state.taken(readString(key), path) === failed) return failed;
      setOwn(copy, key, value);
    }
    return copy;
  });
}

/** A checked copy of a JSON list. */
export function copyJsonList(state: DecodeState, json: unknown, path: FieldPath): JsonValue[] | typeof failed {
  if (!Array.isArray(json)) return state.refuse(path, wrongType("a list", json));
  return state.nested(path, messagesPerLevel, () => {
    const copy: JsonValue[] = [];
    for (let index = 0; index < json.length; index++) {
      const value = copyJsonValue(state, json[index], path.index(index));
      if (value === failed) return failed;
      copy.push(value);
    }
    return copy;
  });
}

/** A checked copy of any JSON value. */
export function copyJsonValue(state: DecodeState, json: unknown, path: FieldPath): JsonValue | typeof failed {
  if (!state.count(path)) return failed;
  if (json === null || typeof json === "boolean") return json;
  if (typeof json === "string") return state.taken(readString(json), path);
  if (typeof json === "number" && Number.isFinite(json)) return json;
  if (typeof json === "bigint") return Number(json);
  if (Array.isArray(json)) return copyJsonList(state, json, path);
  if (isJsonObject(json)) return copyJsonObject(state, json, path);
  return state.refuse(path, wrongType("a JSON value", json));
}
