import type { Abnormal } from "./abnormal.ts";
import type { Duration, Timestamp } from "./time.ts";

/**
 * What expressions compute with. An `int` is a `number` where that is exact and a `bigint` beyond, never both for one
 * value, so that equal ints are `===` and the common case needs no allocation; the rarer `double` and `uint` are boxed.
 */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Double
  | Uint
  | Uint8Array
  | Duration
  | Timestamp
  | readonly Value[]
  | MapValue
  | MessageValue
  | TypeValue
  | OptionalValue;

/** A value, or the reason why there is none. */
export type Result = Value | Abnormal;

export class Double {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

export class Uint {
  /** As for an `int`: `bigint` only where a `number` is not exact. */
  readonly value: number | bigint;

  constructor(value: number | bigint) {
    this.value = value;
  }
}

/** A type as a value; types are equal by name. */
export class TypeValue {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

export class OptionalValue {
  /** Undefined: there is none. */
  readonly value: Value | undefined;

  constructor(value: Value | undefined) {
    this.value = value;
  }
}

export const NONE = new OptionalValue(undefined);

/** A map, whoever holds it: a literal, a section of headers, an object of JSON. */
export abstract class MapValue {
  abstract readonly size: number;
  /** Undefined: no such key. Numeric keys are equal across types. */
  abstract get(key: Value): Result | undefined;
  /** In the order of insertion. */
  abstract keys(): Iterable<Value>;
}

/** An object with declared fields, such as a protobuf message. */
export abstract class MessageValue {
  abstract readonly typeName: string;
  /** The field's value or default; undefined: the type has no such field. */
  abstract get(field: string): Result | undefined;
  /** Whether the field is set; undefined: the type has no such field. */
  abstract has(field: string): boolean | undefined;
  abstract equals(other: MessageValue): boolean;
  /** Whether nothing in it is set. */
  abstract isZero(): boolean;
}

/** What a key is looked up by: equal for equal keys, ints, uints and whole doubles being alike. Undefined: no key. */
export function keyOf(value: Value): string | boolean | number | bigint | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "number":
    case "bigint":
      return value;
    default:
      if (value instanceof Uint) return value.value;
      if (!(value instanceof Double) || !Number.isInteger(value.value)) return undefined;
      return Number.isSafeInteger(value.value) ? value.value + 0 : BigInt(value.value);
  }
}

/** A map that an expression made. */
export class LiteralMap extends MapValue {
  readonly #entries = new Map<string | boolean | number | bigint, { readonly key: Value; readonly value: Value }>();

  get size(): number {
    return this.#entries.size;
  }

  /** False where the key is there already, or can be none. */
  add(key: Value, value: Value): boolean {
    const slot = key instanceof Double ? undefined : keyOf(key);
    if (slot === undefined || this.#entries.has(slot)) return false;
    this.#entries.set(slot, { key, value });
    return true;
  }

  get(key: Value): Value | undefined {
    const slot = keyOf(key);
    return slot === undefined ? undefined : this.#entries.get(slot)?.value;
  }

  *keys(): Iterable<Value> {
    for (const { key } of this.#entries.values()) yield key;
  }
}
