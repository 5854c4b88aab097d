import {
  type DescExtension,
  type DescField,
  type DescMessage,
  getExtension,
  hasExtension,
  type Message,
  type Registry,
  ScalarType,
} from "@bufbuild/protobuf";
import { type ReflectList, type ReflectMap, type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import { Abnormal, Failure } from "../../src/values/abnormal.ts";
import { valuesEqual } from "../../src/values/equality.ts";
import { normalInt } from "../../src/values/integer.ts";
import { makeDuration, makeTimestamp } from "../../src/values/time.ts";
import { Double, LiteralMap, MessageValue, type Result, Uint, type Value } from "../../src/values/value.ts";
import { UNBOUNDED } from "../../src/values/work.ts";

/** A protobuf message as expressions see it. */
export class ProtoMessage extends MessageValue {
  readonly message: ReflectMessage;
  readonly #registry: Registry;

  constructor(message: ReflectMessage, registry: Registry) {
    super();
    this.message = message;
    this.#registry = registry;
  }

  get typeName(): string {
    return this.message.desc.typeName;
  }

  get(name: string): Result | undefined {
    const extension = this.#registry.getExtension(name);
    if (extension !== undefined) return extensionValue(this.message.message, extension, this.#registry);
    const field = this.message.fields.find((one) => one.name === name);
    return field === undefined ? undefined : fieldValue(this.message, field, this.#registry);
  }

  has(name: string): boolean | undefined {
    const extension = this.#registry.getExtension(name);
    if (extension !== undefined) return hasExtension(this.message.message, extension);
    const field = this.message.fields.find((one) => one.name === name);
    return field === undefined ? undefined : this.message.isSet(field);
  }

  equals(other: MessageValue): boolean {
    if (!(other instanceof ProtoMessage) || other.typeName !== this.typeName) return false;
    return this.message.fields.every((field) => {
      const set = this.message.isSet(field);
      if (set !== other.message.isSet(field)) return false;
      if (field.message?.typeName === ANY && sameBytes(this.message, other.message, field)) return true;
      const one = fieldValue(this.message, field, this.#registry);
      const two = fieldValue(other.message, field, this.#registry);
      if (!set) return true;
      return !(one instanceof Abnormal) && !(two instanceof Abnormal) && valuesEqual(one, two, UNBOUNDED);
    });
  }

  isZero(): boolean {
    return !this.message.fields.some((field) => this.message.isSet(field));
  }
}

const ANY = "google.protobuf.Any";

/** An Any that cannot be unpacked is still equal to one with the same bytes. */
function sameBytes(one: ReflectMessage, other: ReflectMessage, field: DescField): boolean {
  if (field.fieldKind !== "message" || !one.isSet(field)) return false;
  const a = one.get(field).message as Any;
  const b = other.get(field).message as Any;
  return a.typeUrl === b.typeUrl && Buffer.compare(a.value, b.value) === 0;
}

function extensionValue(message: Message, extension: DescExtension, registry: Registry): Result {
  const value: unknown = getExtension(message, extension);
  if (extension.fieldKind === "list") {
    const list = (value as unknown[]).map((one) => singleValue(extension, extension.listKind, one, registry));
    return list as Value[];
  }
  return singleValue(extension, extension.fieldKind, value, registry);
}

function singleValue(extension: DescExtension, kind: string, raw: unknown, registry: Registry): Result {
  if (kind === "message") return messageValue(reflect(extension.message as DescMessage, raw as Message), registry);
  return kind === "enum" ? (raw as number) : scalarValue(extension.scalar as ScalarType, raw);
}

/** Wrappers that are not set are null; other fields have their defaults. */
function fieldValue(message: ReflectMessage, field: DescField, registry: Registry): Result {
  if (field.fieldKind === "message") {
    const unset = !message.isSet(field);
    if (unset && (isWrapper(field.message) || field.message.typeName === "google.protobuf.Any")) return null;
    return messageValue(message.get(field), registry);
  }
  const raw: unknown = message.get(field);
  if (field.fieldKind === "list") return listValue(raw as ReflectList, field, registry);
  if (field.fieldKind === "map") return mapValue(raw as ReflectMap, field, registry);
  return field.fieldKind === "enum" ? (raw as number) : scalarValue(field.scalar, raw);
}

export function isWrapper(desc: DescMessage): boolean {
  return /^google\.protobuf\.\w+Value$/.test(desc.typeName) && desc.fields.length === 1 && desc.typeName !== LIST;
}

const LIST = "google.protobuf.ListValue";

function listValue(list: ReflectList, field: DescField & { fieldKind: "list" }, registry: Registry): Result {
  const values: Value[] = [];
  for (const raw of list) {
    const value = elementValue(field, field.listKind, raw, registry);
    if (value instanceof Abnormal) return value;
    values.push(value);
  }
  return values;
}

function mapValue(map: ReflectMap, field: DescField & { fieldKind: "map" }, registry: Registry): Result {
  const values = new LiteralMap();
  for (const [key, raw] of map) {
    const value = elementValue(field, field.mapKind, raw, registry);
    if (value instanceof Abnormal) return value;
    values.add(scalarValue(field.mapKey, key), value);
  }
  return values;
}

function elementValue(
  field: DescField & { fieldKind: "list" | "map" },
  kind: "scalar" | "enum" | "message",
  raw: unknown,
  registry: Registry,
): Result {
  if (kind === "message") return messageValue(raw as ReflectMessage, registry);
  return kind === "enum" ? (raw as number) : scalarValue(field.scalar as ScalarType, raw);
}

const UNSIGNED = [ScalarType.UINT32, ScalarType.UINT64, ScalarType.FIXED32, ScalarType.FIXED64];

function scalarValue(type: ScalarType, raw: unknown): Value {
  if (typeof raw === "bigint" || typeof raw === "number") {
    if (type === ScalarType.FLOAT || type === ScalarType.DOUBLE) return new Double(raw as number);
    const int = normalInt(BigInt(raw));
    return UNSIGNED.includes(type) ? new Uint(int) : int;
  }
  return raw as string | boolean | Uint8Array;
}

/** What a message is to the language: those that are well known are values of other types. */
export function messageValue(message: ReflectMessage, registry: Registry): Result {
  const { typeName } = message.desc;
  const field = (name: string): unknown => {
    const found = message.fields.find((one) => one.name === name);
    return found === undefined ? undefined : message.get(found);
  };
  if (isWrapper(message.desc)) return fieldValue(message, message.fields[0] as DescField, registry);
  switch (typeName) {
    case "google.protobuf.Timestamp":
      return makeTimestamp(Number(field("seconds")), field("nanos") as number);
    case "google.protobuf.Duration":
      return makeDuration(Number(field("seconds")), field("nanos") as number);
    case "google.protobuf.Any": {
      const unpacked = anyUnpack(message.message as Any, registry);
      if (unpacked === undefined) return new Failure("conversion error: the Any cannot be unpacked");
      const desc = registry.getMessage(unpacked.$typeName);
      return desc === undefined ? new Failure("conversion error") : messageValue(reflect(desc, unpacked), registry);
    }
    case "google.protobuf.Struct":
      return mapValue(field("fields") as ReflectMap, message.fields[0] as DescField & { fieldKind: "map" }, registry);
    case LIST:
      return listValue(
        field("values") as ReflectList,
        message.fields[0] as DescField & { fieldKind: "list" },
        registry,
      );
    case "google.protobuf.Value": {
      const kind = message.oneofs[0] === undefined ? undefined : message.oneofCase(message.oneofs[0]);
      return kind === undefined || kind.name === "null_value" ? null : fieldValue(message, kind, registry);
    }
    default:
      return new ProtoMessage(message, registry);
  }
}
