import { Abnormal, Double, Duration, MapValue, Timestamp, Uint, type Value } from "@mixerless/expression";
import { type AttributeSource, byteString } from "../extension-host/attributes/attribute.ts";
import type { Expressions } from "./expressions.ts";

/** A value in the form in which Wasm plugins are given properties [proxy-wasm §9.1]. */
export type PropertyValue = string | number | bigint | boolean | object | null;

/** What a Wasm host compiles expressions of plugins with (`expr_create` and its like). */
export interface PluginExpressions {
  /** Null: it does not parse, or calls functions that there are not. */
  compile(text: string): { evaluate(stream: object | null): PropertyValue } | null;
}

/** Texts of plugins are no labels: they could make as many as they like. */
const SHOWN = "(of a plugin)";

/** What failures are counted under. */
const USE = "wasm";

export function createPluginExpressions(expressions: Expressions): PluginExpressions {
  return {
    compile(text) {
      const { evaluate } = expressions.compile(text, USE, SHOWN);
      if (evaluate === undefined) return null;
      return {
        evaluate(stream) {
          if (stream === null) throw new Error("there is nothing to read attributes of");
          const result = evaluate(stream as AttributeSource);
          if (result instanceof Abnormal) throw new Error(result.reason);
          return propertyOf(result);
        },
      };
    },
  };
}

const NANOS = 1_000_000_000n;

/** Strings become byte strings, times nanoseconds. Null: there is no encoding. */
function propertyOf(value: Value): PropertyValue {
  if (value instanceof Double) return doubleBytes(value.value);
  if (typeof value === "number") return value;
  return inner(value, { left: MOST_PARTS });
}

/** Values may share their parts: a few of them can stand for more than there is memory. */
const MOST_PARTS = 10_000;

/** As inside of lists and maps, where a plain number is a double. */
function inner(value: Value, parts: { left: number }): PropertyValue {
  if (--parts.left < 0) return null;
  if (typeof value === "string") return byteString(value);
  if (typeof value === "number") return BigInt(value);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  if (value instanceof Double) return doubleBytes(value.value);
  if (value instanceof Uint) return BigInt(value.value);
  if (value instanceof Duration || value instanceof Timestamp)
    return BigInt(value.seconds) * NANOS + BigInt(value.nanos);
  if (Array.isArray(value)) return listOf(value, parts);
  return value instanceof MapValue ? mapOf(value, parts) : null;
}

function listOf(list: readonly Value[], parts: { left: number }): PropertyValue {
  const items: PropertyValue[] = [];
  for (const one of list) {
    const item = inner(one, parts);
    if (item === null) return null;
    items.push(item);
  }
  return items;
}

/** Keys must be texts. */
function mapOf(map: MapValue, parts: { left: number }): PropertyValue {
  const entries = new Map<string, PropertyValue>();
  for (const key of map.keys()) {
    const value = map.get(key);
    if (typeof key !== "string" || value === undefined || value instanceof Abnormal) return null;
    const item = inner(value, parts);
    if (item === null) return null;
    entries.set(byteString(key), item);
  }
  return entries;
}

/** Eight bytes, little-endian. */
function doubleBytes(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}
