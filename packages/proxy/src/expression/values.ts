import {
  Abnormal,
  Double,
  Duration,
  durationText,
  MapValue,
  type Result,
  Timestamp,
  timestampText,
  Uint,
  type Value,
} from "@mixerless/expression";
import { byteString } from "../extension-host/attributes/attribute.ts";
import type { HeaderMap } from "../http/header-map.ts";
import { HeaderName } from "../http/header-name.ts";

const NOT_ASCII = /[^ -~]/;

/** The text that a byte string holds. What is no UTF-8 shows as replacement characters. */
export function textOf(bytes: string): string {
  return NOT_ASCII.test(bytes) ? Buffer.from(bytes, "latin1").toString("utf8") : bytes;
}

/** A header section as a map; the keys are in lower case, several values joined by commas. */
export class HeaderValues extends MapValue {
  readonly #headers: HeaderMap;
  readonly #toValue: (bytes: string) => Value;

  constructor(headers: HeaderMap, toValue: (bytes: string) => Value) {
    super();
    this.#headers = headers;
    this.#toValue = toValue;
  }

  get size(): number {
    return this.#names().size;
  }

  get(key: Value): Value | undefined {
    if (typeof key !== "string" || key === "") return undefined;
    const value = this.#headers.get(HeaderName.of(byteString(key)));
    return value === null ? undefined : this.#toValue(value);
  }

  keys(): Iterable<Value> {
    return this.#names();
  }

  #names(): Set<string> {
    const names = new Set<string>();
    this.#headers.forEach((name) => {
      names.add(textOf(name));
    });
    return names;
  }
}

/** An object of plain JSON as a map. */
class JsonMap extends MapValue {
  readonly #object: Readonly<Record<string, unknown>>;

  constructor(object: Readonly<Record<string, unknown>>) {
    super();
    this.#object = object;
  }

  get size(): number {
    return Object.keys(this.#object).length;
  }

  get(key: Value): Value | undefined {
    return typeof key === "string" && Object.hasOwn(this.#object, key) ? fromJson(this.#object[key]) : undefined;
  }

  keys(): Iterable<Value> {
    return Object.keys(this.#object);
  }
}

/** Plain JSON as a value: its numbers are doubles. */
export function fromJson(json: unknown): Value {
  if (typeof json === "string" || typeof json === "boolean") return json;
  if (typeof json === "number") return new Double(json);
  if (Array.isArray(json)) return json.map(fromJson);
  return typeof json === "object" && json !== null ? new JsonMap(json as Record<string, unknown>) : null;
}

/** A value as labels and logs show it, a byte string; null for what has no such form [telemetry §3.2]. */
export function printed(value: Result): string | null {
  if (typeof value === "string") return byteString(value);
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") return String(value);
  if (value instanceof Abnormal || value === null) return null;
  if (value instanceof Double || value instanceof Uint) return String(value.value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1");
  if (value instanceof Duration) return durationText(value);
  return value instanceof Timestamp ? timestampText(value) : null;
}
