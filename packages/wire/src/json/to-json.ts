import {
  type DescField,
  type DescMessage,
  isFieldSet,
  type JsonObject,
  type JsonValue,
  type Message,
  type MessageShape,
  ScalarType,
} from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import {
  type Any,
  type Duration,
  type FieldMask,
  hasCustomJsonRepresentation,
  isWrapperDesc,
  type ListValue,
  type Struct,
  type Timestamp,
  type Value,
} from "@bufbuild/protobuf/wkt";
import { unpackAny } from "../any/unpack-any.ts";
import { type ElementType, fieldValue, isStoredAsJson, setOwn, unwrappedType } from "../local-value.ts";
import { durationJson, fieldMaskJson, listJson, structJson, timestampJson, valueJson } from "./write-well-known.ts";

/** How names are written. */
export interface ToJsonOptions {
  /** Field names as declared (`stat_prefix`), which Envoy's admin uses. Default: lowerCamelCase. */
  readonly declaredNames?: boolean;
}

/**
 * The message as canonical JSON, map keys sorted. Never throws: an `Any` of an unknown type, or whose bytes do not
 * decode, is written as `{"@type": …, "value": base64}`, an enum number without a name as the number.
 */
export function toJson<Schema extends DescMessage>(
  schema: Schema,
  message: MessageShape<Schema>,
  options: ToJsonOptions = {},
): JsonValue {
  return messageJson(schema, message, { declaredNames: options.declaredNames ?? false, anys: 0 });
}

/** How to write, and how many Anys are open around the present message. */
interface Style {
  readonly declaredNames: boolean;
  readonly anys: number;
}

// Each Any inside an Any starts a new decoding with its own limit of depth; this one bounds their sum.
const mostNestedAnys = 16;

function messageJson(schema: DescMessage, message: Message, style: Style): JsonValue {
  const json = wellKnownJson(schema, message, style);
  return json === undefined ? plainJson(schema, message, style) : json;
}

function plainJson(schema: DescMessage, message: Message, style: Style): JsonObject {
  const json: JsonObject = {};
  for (const field of schema.fields) {
    if (!isFieldSet(message, field)) continue;
    json[style.declaredNames ? field.name : field.jsonName] = fieldJson(field, fieldValue(message, field), style);
  }
  return json;
}

function fieldJson(field: DescField, value: unknown, style: Style): JsonValue {
  const wrapper = unwrappedType(field);
  if (wrapper !== undefined) return scalarJson(wrapper.fields[0].scalar, value);
  const asJson = isStoredAsJson(field);
  const one = (item: unknown) => (asJson ? sortedCopy(item as JsonValue) : elementJson(field, item, style));
  if (field.fieldKind === "list") return (value as readonly unknown[]).map(one);
  if (field.fieldKind !== "map") return one(value);
  const entries = value as Record<string, unknown>;
  const json: JsonObject = {};
  for (const key of Object.keys(entries).sort()) setOwn(json, key, one(entries[key]));
  return json;
}

function elementJson(type: ElementType, value: unknown, style: Style): JsonValue {
  if (type.scalar !== undefined) return scalarJson(type.scalar, value);
  if (type.message !== undefined) return messageJson(type.message, value as Message, style);
  if (type.enum === undefined || type.enum.typeName === "google.protobuf.NullValue") return null;
  return type.enum.value[value as number]?.name ?? (value as number);
}

function scalarJson(type: ScalarType, value: unknown): JsonValue {
  if (type === ScalarType.BYTES) return base64Encode(value as Uint8Array);
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return value as JsonValue;
}

// Undefined: the type is written like any message. Null is a JSON value here, of a google.protobuf.Value.
function wellKnownJson(schema: DescMessage, message: Message, style: Style): JsonValue | undefined {
  switch (schema.typeName) {
    case "google.protobuf.Any":
      return anyJson(message as Any, style);
    case "google.protobuf.Duration":
      return durationJson(message as Duration);
    case "google.protobuf.Timestamp":
      return timestampJson(message as Timestamp);
    case "google.protobuf.FieldMask":
      return fieldMaskJson(message as FieldMask);
    case "google.protobuf.Struct":
      return structJson(message as Struct);
    case "google.protobuf.Value":
      return valueJson(message as Value);
    case "google.protobuf.ListValue":
      return listJson(message as ListValue);
  }
  if (!isWrapperDesc(schema)) return undefined;
  return scalarJson(schema.fields[0].scalar, (message as Message & { readonly value: unknown }).value);
}

function anyJson(any: Any, style: Style): JsonValue {
  if (any.typeUrl === "" && any.value.length === 0) return {};
  const unpacked = style.anys < mostNestedAnys ? unpackAny(any) : undefined;
  if (unpacked?.schema === undefined) return { "@type": any.typeUrl, value: base64Encode(any.value) };
  const json = messageJson(unpacked.schema, unpacked.message, { ...style, anys: style.anys + 1 });
  if (hasCustomJsonRepresentation(unpacked.schema)) return { "@type": any.typeUrl, value: json };
  return { "@type": any.typeUrl, ...(json as JsonObject) };
}

function sortedCopy(json: JsonValue): JsonValue {
  if (Array.isArray(json)) return json.map(sortedCopy);
  if (typeof json !== "object" || json === null) return json;
  const copy: JsonObject = {};
  for (const key of Object.keys(json).sort()) setOwn(copy, key, sortedCopy(json[key] ?? null));
  return copy;
}
