import { create, type DescField, type DescMessage, type Registry, ScalarType } from "@bufbuild/protobuf";
import { type ReflectList, type ReflectMap, type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import { Failure } from "../../src/values/abnormal.ts";
import { Duration, durationText, Timestamp, timestampText } from "../../src/values/time.ts";
import { Double, MapValue, Uint, type Value } from "../../src/values/value.ts";
import { isWrapper, ProtoMessage } from "./proto-values.ts";

const UNSUPPORTED = new Failure("unsupported field type: the value does not fit the field");
const RANGE = new Failure("range error: the value does not fit the field");

/** Puts a value into a field; gives the failure where it does not fit. */
export function setField(message: ReflectMessage, field: DescField, value: Value, registry: Registry): Failure | null {
  switch (field.fieldKind) {
    case "list": {
      if (!Array.isArray(value)) return UNSUPPORTED;
      const list = message.get(field) as ReflectList;
      for (const one of value as Value[]) {
        const raw = elementOf(field, field.listKind, one, registry);
        if (raw instanceof Failure) return raw;
        list.add(raw);
      }
      return null;
    }
    case "map": {
      if (!(value instanceof MapValue)) return UNSUPPORTED;
      const map = message.get(field) as ReflectMap;
      for (const key of value.keys()) {
        const rawKey = scalarOf(field.mapKey, key);
        const raw = elementOf(field, field.mapKind, value.get(key) as Value, registry);
        if (rawKey instanceof Failure || raw instanceof Failure)
          return rawKey instanceof Failure ? rawKey : (raw as Failure);
        map.set(rawKey, raw);
      }
      return null;
    }
    case "message": {
      if (value === null && canBeNull(field.message)) return null;
      const raw = messageOf(field.message, value, registry);
      if (raw instanceof Failure) return raw;
      message.set(field, raw);
      return null;
    }
    default: {
      const raw = field.fieldKind === "enum" ? enumOf(value) : scalarOf(field.scalar, value);
      if (raw instanceof Failure) return raw;
      message.set(field, raw);
      return null;
    }
  }
}

function canBeNull({ typeName }: DescMessage): boolean {
  return !["Any", "Value", "ListValue", "Struct"].some((name) => typeName === `google.protobuf.${name}`);
}

function elementOf(
  field: DescField & { fieldKind: "list" | "map" },
  kind: "scalar" | "enum" | "message",
  value: Value,
  registry: Registry,
): unknown {
  if (kind === "message") return messageOf(field.message as DescMessage, value, registry);
  return kind === "enum" ? enumOf(value) : scalarOf(field.scalar as ScalarType, value);
}

function enumOf(value: Value): number | Failure {
  return typeof value === "number" && Math.abs(value) <= 2 ** 31 ? value : RANGE;
}

function scalarOf(type: ScalarType, value: Value): unknown {
  switch (type) {
    case ScalarType.BOOL:
      return typeof value === "boolean" ? value : UNSUPPORTED;
    case ScalarType.STRING:
      return typeof value === "string" ? value : UNSUPPORTED;
    case ScalarType.BYTES:
      return value instanceof Uint8Array ? value : UNSUPPORTED;
    case ScalarType.FLOAT:
      return value instanceof Double ? Math.fround(value.value) : UNSUPPORTED;
    case ScalarType.DOUBLE:
      return value instanceof Double ? value.value : UNSUPPORTED;
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return value instanceof Uint ? (value.value < 2 ** 32 ? Number(value.value) : RANGE) : UNSUPPORTED;
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return value instanceof Uint ? BigInt(value.value) : UNSUPPORTED;
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return typeof value === "number" || typeof value === "bigint" ? BigInt(value) : UNSUPPORTED;
    default:
      if (typeof value !== "number" && typeof value !== "bigint") return UNSUPPORTED;
      return value >= -(2 ** 31) && value < 2 ** 31 ? Number(value) : RANGE;
  }
}

function messageOf(desc: DescMessage, value: Value, registry: Registry): ReflectMessage | Failure {
  const message = reflect(desc, create(desc));
  const set = (name: string, raw: unknown) => {
    const field = desc.fields.find((one) => one.name === name);
    if (field !== undefined) message.set(field, raw);
    return message;
  };
  if (isWrapper(desc)) return setField(message, desc.fields[0] as DescField, value, registry) ?? message;
  switch (desc.typeName) {
    case "google.protobuf.Timestamp":
    case "google.protobuf.Duration": {
      if (!(value instanceof Timestamp || value instanceof Duration)) return UNSUPPORTED;
      set("seconds", BigInt(value.seconds));
      return set("nanos", value.nanos);
    }
    case "google.protobuf.Struct":
    case "google.protobuf.ListValue":
      return setField(message, desc.fields[0] as DescField, value, registry) ?? message;
    case "google.protobuf.Value":
      return setJson(message, value, registry) ?? message;
    case "google.protobuf.Any":
      return anyOf(message, value, registry);
    default:
      return value instanceof ProtoMessage && value.typeName === desc.typeName ? value.message : UNSUPPORTED;
  }
}

const SAFE = BigInt(Number.MAX_SAFE_INTEGER);

function setJson(message: ReflectMessage, value: Value, registry: Registry): Failure | null {
  const put = (name: string, json: Value) =>
    setField(message, message.fields.find((one) => one.name === name) as DescField, json, registry);
  if (value === null) return put("null_value", 0);
  if (typeof value === "boolean") return put("bool_value", value);
  if (typeof value === "string") return put("string_value", value);
  if (value instanceof Double) return put("number_value", value);
  if (typeof value === "number" || typeof value === "bigint" || value instanceof Uint) {
    const int = BigInt(value instanceof Uint ? value.value : value);
    const exact = int <= SAFE && int >= -SAFE;
    return exact ? put("number_value", new Double(Number(int))) : put("string_value", String(int));
  }
  if (value instanceof Uint8Array) return put("string_value", Buffer.from(value).toString("base64"));
  if (value instanceof Duration) return put("string_value", durationText(value));
  if (value instanceof Timestamp) return put("string_value", timestampText(value));
  if (Array.isArray(value)) return put("list_value", value);
  if (value instanceof MapValue) return put("struct_value", value);
  if (value instanceof ProtoMessage && value.typeName === "google.protobuf.FieldMask")
    return put("string_value", (value.get("paths") as string[]).join(","));
  if (value instanceof ProtoMessage && value.typeName === "google.protobuf.Empty") return messageEmpty(message);
  return UNSUPPORTED;
}

function messageEmpty(message: ReflectMessage): null {
  const field = message.fields.find((one) => one.name === "struct_value");
  if (field !== undefined) message.set(field, message.get(field));
  return null;
}

function anyOf(message: ReflectMessage, value: Value, registry: Registry): ReflectMessage | Failure {
  const name = value instanceof ProtoMessage ? value.typeName : `google.protobuf.${wellKnownName(value)}`;
  const desc = registry.getMessage(name);
  if (desc === undefined) return UNSUPPORTED;
  const packed = messageOf(desc, value, registry);
  if (packed instanceof Failure) return packed;
  return reflect(message.desc, anyPack(desc, packed.message) as Any);
}

function wellKnownName(value: Value): string {
  if (value === null) return "Value";
  if (typeof value === "boolean") return "BoolValue";
  if (typeof value === "string") return "StringValue";
  if (typeof value === "number" || typeof value === "bigint") return "Int64Value";
  if (value instanceof Uint) return "UInt64Value";
  if (value instanceof Double) return "DoubleValue";
  if (value instanceof Uint8Array) return "BytesValue";
  if (value instanceof Duration) return "Duration";
  if (value instanceof Timestamp) return "Timestamp";
  return Array.isArray(value) ? "ListValue" : "Struct";
}
