import { readLatin1 } from "./latin1.ts";
import { encodePairs, type Pair } from "./pairs.ts";

/** A number that a property holds as a double; a plain number is an integer. */
export class Double {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/**
 * A property's value. Strings are byte strings. Plain numbers and bigints are 64-bit integers, among them time stamps
 * and durations in nanoseconds. Uint8Array: bytes, or a serialised message. Other objects and arrays are maps and
 * lists, as JSON has them: numbers inside are doubles. Null is a value that has no encoding; undefined: there is none.
 */
export type PropertyValue = string | number | bigint | boolean | object | null | undefined;

/** The bytes of a value [proxy-wasm §9.1]; null where it has no encoding. */
export function encodeProperty(value: PropertyValue): string | Uint8Array | null {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
      return Number.isInteger(value) ? integer(BigInt(value)) : double(value);
    case "bigint":
      return integer(value);
    case "boolean":
      return value ? "\x01" : "\x00";
    case "object":
      return value === null ? null : encodeObject(value);
    default:
      return null;
  }
}

function encodeObject(value: object): string | Uint8Array | null {
  if (value instanceof Uint8Array) return value;
  if (value instanceof Double) return double(value.value);
  return encodeContainer(value, 0);
}

const DEPTH_LIMIT = 32;

function encodeContainer(value: object, depth: number): string | null {
  if (depth > DEPTH_LIMIT) return null;
  const pairs: Pair[] = [];
  const entries = Array.isArray(value) ? value.map((item): [unknown, null] => [item, null]) : entriesOf(value);
  for (const [key, item] of entries) {
    const name = encodeInside(key, depth);
    const content = item === null ? "" : encodeInside(item, depth);
    if (name === null || content === null) return null;
    pairs.push([name, content]);
  }
  return pairs.length === 0 ? "" : encodePairs(pairs);
}

function entriesOf(value: object): Iterable<[unknown, unknown]> {
  if (value instanceof Map) return value as Map<unknown, unknown>;
  return Object.entries(value).map(([key, item]): [unknown, unknown] => [key, item]);
}

function encodeInside(value: unknown, depth: number): string | null {
  if (typeof value === "string") return byteString(value);
  if (typeof value === "number") return double(value);
  if (typeof value === "object" && value !== null && !(value instanceof Uint8Array) && !(value instanceof Double)) {
    return encodeContainer(value, depth + 1);
  }
  const encoded = encodeProperty(value as PropertyValue);
  return encoded instanceof Uint8Array ? Buffer.from(encoded).toString("latin1") : encoded;
}

const NOT_BYTES = /[^\0-\xff]/;

/** Text inside JSON may have any char; byte strings stay. */
function byteString(text: string): string {
  return NOT_BYTES.test(text) ? Buffer.from(text, "utf8").toString("latin1") : text;
}

function integer(value: bigint): string {
  const out = Buffer.allocUnsafe(8);
  out.writeBigInt64LE(BigInt.asIntN(64, value));
  return readLatin1(out, 0, 8);
}

function double(value: number): string {
  const out = Buffer.allocUnsafe(8);
  out.writeDoubleLE(value);
  return readLatin1(out, 0, 8);
}

/** Follows the rest of a path into a map, a list or JSON; undefined where it leads nowhere. */
export function descend(from: PropertyValue, path: readonly string[], start = 0): PropertyValue {
  let value: unknown = from;
  for (let i = start; i < path.length; i++) {
    const key = path[i] as string;
    if (typeof value !== "object" || value === null || value instanceof Uint8Array) return undefined;
    if (Array.isArray(value)) value = /^(0|[1-9]\d*)$/.test(key) ? value[Number(key)] : undefined;
    else if (value instanceof Map) value = value.get(key);
    else value = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
  }
  if (typeof value === "number" && start < path.length) return new Double(value);
  return value as PropertyValue;
}
