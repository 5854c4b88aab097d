import type { IncrementalTest } from "@bufbuild/cel-spec/testdata/tests.js";
import type { Registry } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { BOOL, DYN, listOf, mapOf, messageType, type Type, typeOf, wrapperOf } from "../../src/types/type.ts";
import { Failure } from "../../src/values/abnormal.ts";
import { valuesEqual } from "../../src/values/equality.ts";
import { normalInt } from "../../src/values/integer.ts";
import { typeNameOf } from "../../src/values/type-of.ts";
import { Double, LiteralMap, MapValue, type Result, TypeValue, Uint, type Value } from "../../src/values/value.ts";
import { UNBOUNDED } from "../../src/values/work.ts";
import { messageValue } from "./proto-values.ts";

type SimpleTest = IncrementalTest["original"];
type Matcher = SimpleTest["resultMatcher"];
type SpecValue = Extract<Matcher, { case: "value" }>["value"];
type SpecType = NonNullable<Extract<Matcher, { case: "typedResult" }>["value"]["deducedType"]>;

/** A value of the suite's own message as ours. */
export function fromSpec(value: SpecValue, registry: Registry): Result {
  const { kind } = value;
  switch (kind.case) {
    case "nullValue":
      return null;
    case "int64Value":
      return normalInt(kind.value);
    case "uint64Value":
      return new Uint(normalInt(kind.value));
    case "doubleValue":
      return new Double(kind.value);
    case "listValue":
      return kind.value.values.map((one) => fromSpec(one, registry) as Value);
    case "mapValue": {
      const map = new LiteralMap();
      for (const entry of kind.value.entries)
        map.add(
          fromSpec(entry.key as SpecValue, registry) as Value,
          fromSpec(entry.value as SpecValue, registry) as Value,
        );
      return map;
    }
    case "objectValue": {
      const message = anyUnpack(kind.value, registry);
      const desc = message === undefined ? undefined : registry.getMessage(message.$typeName);
      return message === undefined || desc === undefined
        ? new Failure("the suite's object is of an unknown type")
        : messageValue(reflect(desc, message), registry);
    }
    case "typeValue":
      return new TypeValue(kind.value);
    case "enumValue":
      return kind.value.value;
    default:
      return kind.value as string | boolean | Uint8Array;
  }
}

/** Equal, of the same types all through, and NaN like NaN. */
export function sameValue(one: Value, other: Value): boolean {
  if (typeNameOf(one) !== typeNameOf(other)) return false;
  if (one instanceof Double && other instanceof Double)
    return one.value === other.value || (Number.isNaN(one.value) && Number.isNaN(other.value));
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((value, i) => sameValue(value, other[i]));
  if (one instanceof MapValue && other instanceof MapValue)
    return one.size === other.size && [...one.keys()].every((key) => sameIn(key, one, other));
  return valuesEqual(one, other, UNBOUNDED);
}

function sameIn(key: Value, one: MapValue, other: MapValue): boolean {
  const value = other.get(key);
  return value !== undefined && sameValue(one.get(key) as Value, value as Value);
}

const PRIMITIVES = ["dyn", "bool", "int", "uint", "double", "string", "bytes"] as const;
const WELL_KNOWN: readonly Type[] = [DYN, DYN, { kind: "timestamp" }, { kind: "duration" }];

export function typeFromSpec(type: SpecType | undefined): Type {
  const kind = type?.typeKind;
  switch (kind?.case) {
    case "primitive":
      return { kind: PRIMITIVES[kind.value] ?? "dyn" };
    case "null":
      return { kind: "null" };
    case "wrapper":
      return wrapperOf({ kind: PRIMITIVES[kind.value] ?? "dyn" });
    case "wellKnown":
      return WELL_KNOWN[kind.value] ?? DYN;
    case "listType":
      return listOf(typeFromSpec(kind.value.elemType));
    case "mapType":
      return mapOf(typeFromSpec(kind.value.keyType), typeFromSpec(kind.value.valueType));
    case "messageType":
      return messageFromSpec(kind.value);
    case "typeParam":
      return { kind: "param", name: kind.value };
    case "type":
      return typeOf(typeFromSpec(kind.value));
    case "abstractType":
      return { kind: "opaque", name: kind.value.name, params: kind.value.parameterTypes.map(typeFromSpec) };
    default:
      return kind?.case === "error" ? BOOL : DYN;
  }
}

const NAMED: Readonly<Record<string, Type>> = {
  "google.protobuf.Timestamp": { kind: "timestamp" },
  "google.protobuf.Duration": { kind: "duration" },
  "google.protobuf.Any": DYN,
  "google.protobuf.Value": DYN,
  "google.protobuf.ListValue": listOf(DYN),
  "google.protobuf.Struct": mapOf({ kind: "string" }, DYN),
  "google.protobuf.BoolValue": wrapperOf({ kind: "bool" }),
  "google.protobuf.Int32Value": wrapperOf({ kind: "int" }),
  "google.protobuf.Int64Value": wrapperOf({ kind: "int" }),
  "google.protobuf.UInt32Value": wrapperOf({ kind: "uint" }),
  "google.protobuf.UInt64Value": wrapperOf({ kind: "uint" }),
  "google.protobuf.FloatValue": wrapperOf({ kind: "double" }),
  "google.protobuf.DoubleValue": wrapperOf({ kind: "double" }),
  "google.protobuf.StringValue": wrapperOf({ kind: "string" }),
  "google.protobuf.BytesValue": wrapperOf({ kind: "bytes" }),
};

function messageFromSpec(name: string): Type {
  return NAMED[name] ?? messageType(name);
}
