import { type DescEnum, ScalarType } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { nearestName } from "../nearest-name.ts";
import { describeJson, excerpt, Refusal, wrongType } from "./refusal.ts";

type Scalar = string | number | bigint | boolean | Uint8Array;

const largestFloat = 3.4028234663852886e38;
const decimal = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
const base64 = /^[A-Za-z0-9+/_-]*={0,2}$/;
const loneSurrogate = /\p{Surrogate}/u;
// A longer list of alternatives explains nothing.
const mostListedNames = 8;

/** A JSON value as a scalar of the given type, by the rules of canonical JSON. */
export function readScalar(type: ScalarType, json: unknown): Scalar | Refusal {
  switch (type) {
    case ScalarType.STRING:
      return readString(json);
    case ScalarType.BOOL:
      return typeof json === "boolean" ? json : wrongType("true or false", json);
    case ScalarType.BYTES:
      return readBytes(json);
    case ScalarType.DOUBLE:
      return readFloating(json, Number.MAX_VALUE);
    case ScalarType.FLOAT:
      return readFloating(json, largestFloat);
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return readInteger(json, -0x80000000, 0x7fffffff);
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return readInteger(json, 0, 0xffffffff);
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return readLong(json, -(2n ** 63n), 2n ** 63n - 1n);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return readLong(json, 0n, 2n ** 64n - 1n);
  }
}

/** An enum value by name or number. */
export function readEnum(schema: DescEnum, json: unknown): number | Refusal {
  if (json === null && schema.typeName === "google.protobuf.NullValue") return 0;
  if (typeof json === "string") {
    const value = schema.values.find((candidate) => candidate.name === json);
    return value === undefined ? unknownEnumName(schema, json) : value.number;
  }
  const number = readInteger(json, -0x80000000, 0x7fffffff);
  if (number instanceof Refusal) return wrongType(`a name or number of ${schema.typeName}`, json);
  if (schema.open || schema.value[number] !== undefined) return number;
  return new Refusal("WIRE_UNKNOWN_ENUM_VALUE", `${schema.typeName} has no value with number ${number}`);
}

function unknownEnumName(schema: DescEnum, name: string): Refusal {
  const names = schema.values.map((value) => value.name);
  const nearest = nearestName(name, names);
  const known = names.length <= mostListedNames ? `; it has ${names.join(", ")}` : "";
  const hint = nearest === undefined ? known : `; did you mean ${nearest}?`;
  return new Refusal("WIRE_UNKNOWN_ENUM_VALUE", `${schema.typeName} has no value named ${excerpt(name)}${hint}`);
}

/** A JSON string that UTF-8 can carry. */
export function readString(json: unknown): string | Refusal {
  if (typeof json !== "string") return wrongType("a string", json);
  return loneSurrogate.test(json) ? new Refusal("WIRE_BAD_FORMAT", "the string holds half a surrogate pair") : json;
}

function readBytes(json: unknown): Uint8Array | Refusal {
  if (typeof json !== "string") return wrongType("bytes as a base64 string", json);
  if (!base64.test(json) || json.replace(/=+$/, "").length % 4 === 1) {
    return new Refusal("WIRE_BAD_FORMAT", `${excerpt(json)} is not base64`);
  }
  return base64Decode(json);
}

function readFloating(json: unknown, largest: number): number | Refusal {
  if (json === "NaN") return Number.NaN;
  if (json === "Infinity") return Number.POSITIVE_INFINITY;
  if (json === "-Infinity") return Number.NEGATIVE_INFINITY;
  const number = readNumber(json);
  if (number === undefined) return wrongType("a number", json);
  return Math.abs(number) <= largest ? number : outOfRange(json, -largest, largest);
}

function readInteger(json: unknown, smallest: number, largest: number): number | Refusal {
  const number = readNumber(json);
  if (number === undefined || !Number.isInteger(number)) return wrongType("a whole number", json);
  return number >= smallest && number <= largest ? number + 0 : outOfRange(json, smallest, largest);
}

function readLong(json: unknown, smallest: bigint, largest: bigint): bigint | Refusal {
  const number = readBigInt(json);
  if (number === undefined) return wrongType("a whole number or its string", json);
  return number >= smallest && number <= largest ? number : outOfRange(json, smallest, largest);
}

// 20 digits are the longest 64-bit number; parsing more only burns time.
function readBigInt(json: unknown): bigint | undefined {
  if (typeof json === "bigint") return json;
  if (typeof json === "string" && /^-?[0-9]{1,20}$/.test(json) && decimal.test(json)) return BigInt(json);
  const number = readNumber(json);
  return number !== undefined && Number.isInteger(number) ? BigInt(number) : undefined;
}

// A finite number, also from a string, which canonical JSON allows for every numeric field.
function readNumber(json: unknown): number | undefined {
  if (typeof json === "bigint") return Number(json);
  const number = typeof json === "string" && json.length <= 64 && decimal.test(json) ? Number(json) : json;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

function outOfRange(json: unknown, smallest: number | bigint, largest: number | bigint): Refusal {
  return new Refusal("WIRE_OUT_OF_RANGE", `${describeJson(json)} is not between ${smallest} and ${largest}`);
}

/** The key of a map entry, in the spelling that the library uses for its own keys. */
export function readMapKey(type: ScalarType, key: string): string | Refusal {
  if (type === ScalarType.STRING) return readString(key);
  if (type === ScalarType.BOOL) return key === "true" || key === "false" ? key : wrongType('"true" or "false"', key);
  const number = readScalar(type, key);
  return number instanceof Refusal ? number : String(number);
}
