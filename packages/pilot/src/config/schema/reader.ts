// A small vocabulary of readers. A reader turns what was written into what the kind's interface promises,
// and reports faults with path, line and cure. It collects: one mistake never hides another beside it.
import type { Cursor } from "./cursor.ts";
import { nearestName } from "./nearest-name.ts";

/**
 * Reads a present value. Undefined: not readable, and a fault was reported. A reader that only finds the
 * value forbidden reports it and returns it all the same, so that checks further out still run.
 */
export type Reader<T> = (value: unknown, at: Cursor) => T | undefined;

export const string: Reader<string> = (value, at) => {
  if (typeof value === "string") return value;
  const cure =
    typeof value === "number" || typeof value === "boolean" ? `Put it in quotes: "${value}".` : "Write text.";
  return wrongType(at, "text", value, cure);
};

export const boolean: Reader<boolean> = (value, at) => {
  if (typeof value === "boolean") return value;
  const yes = typeof value === "string" && /^(yes|no|on|off|y|n)$/i.test(value);
  const hint = yes ? " Files are read as YAML 1.2, where yes, no, on and off are text." : "";
  return wrongType(at, "true or false", value, `Write true or false without quotes.${hint}`);
};

export interface NumberRange {
  readonly min?: number;
  readonly max?: number;
}

/** A finite number within the range, both ends included. */
export function number(range: NumberRange = {}): Reader<number> {
  return (value, at) => {
    if (typeof value !== "number" || !Number.isFinite(value))
      return wrongType(at, "a number", value, numberCure(value));
    checkRange(value, range, at);
    return value;
  };
}

/** A whole number within the range. */
export function integer(range: NumberRange = {}): Reader<number> {
  return (value, at) => {
    if (typeof value !== "number" || !Number.isSafeInteger(value)) {
      return wrongType(at, "a whole number", value, numberCure(value));
    }
    checkRange(value, range, at);
    return value;
  };
}

/** The range of proto int32 and uint32 fields. */
export const int32 = integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
export const uint32 = integer({ min: 0, max: 2 ** 32 - 1 });

/** One of a few names, in their exact case. */
export function oneOf<const T extends string>(...names: readonly T[]): Reader<T> {
  return (value, at) => {
    const known = names.find((name) => name === value);
    if (known !== undefined) return known;
    const guess = typeof value === "string" ? nearestName(value, names) : undefined;
    const hint = guess === undefined ? "" : ` Did you mean ${guess}?`;
    at.error(
      "unknown-value",
      `${describe(value)} is none of the values of this field.${hint}`,
      `Use one of ${names.join(", ")}.`,
    );
    return undefined;
  };
}

/** A JSON object, handed on as it was written. */
export const jsonObject: Reader<Readonly<Record<string, unknown>>> = (value, at) => {
  if (isObject(value)) return value;
  return wrongType(at, "an object", value, "Write fields with their values.");
};

export interface Count {
  readonly min?: number;
  readonly max?: number;
}

/** A list; unreadable entries were reported and make the whole list unreadable. */
export function list<T>(entry: Reader<T>, count: Count = {}): Reader<readonly T[]> {
  return (value, at) => {
    if (!Array.isArray(value))
      return wrongType(at, "a list", value, 'Write the entries below each other, each after "- ".');
    if (!checkCount(value.length, count, "entries", at)) return undefined;
    const result: T[] = [];
    value.forEach((item, index) => {
      const read = item === null ? emptyEntry(at.at(index)) : entry(item, at.at(index));
      if (read !== undefined) result.push(read);
    });
    return result.length === value.length ? Object.freeze(result) : undefined;
  };
}

export interface MapOptions extends Count {
  /** Looks at a key; reports at the cursor of the entry. */
  readonly key?: (key: string, at: Cursor) => void;
}

/** A map from names to values. The result has no prototype. */
export function map<T>(entry: Reader<T>, options: MapOptions = {}): Reader<Readonly<Record<string, T>>> {
  return (value, at) => {
    if (!isObject(value)) return wrongType(at, "a map", value, "Write names with their values.");
    const keys = Object.keys(value);
    if (!checkCount(keys.length, options, "entries", at)) return undefined;
    const result = Object.create(null) as Record<string, T>;
    let complete = true;
    for (const key of keys) {
      const here = at.at(key);
      options.key?.(key, here);
      const read = value[key] === null ? emptyEntry(here) : entry(value[key], here);
      if (read === undefined) complete = false;
      else result[key] = read;
    }
    return complete ? Object.freeze(result) : undefined;
  };
}

/** Reads, then turns the value into another shape; `change` may report and return undefined. */
export function convert<T, U>(reader: Reader<T>, change: (value: T, at: Cursor) => U | undefined): Reader<U> {
  return (value, at) => {
    const read = reader(value, at);
    return read === undefined ? undefined : change(read, at);
  };
}

/** Reads, then lets `check` report what is wrong with the value; the value stays. */
export function checked<T>(reader: Reader<T>, check: (value: T, at: Cursor) => void): Reader<T> {
  return convert(reader, (value, at) => {
    check(value, at);
    return value;
  });
}

/** Text that must not be empty. */
export const nonEmpty: Reader<string> = checked(string, (value, at) => {
  if (value === "") at.error("empty-text", "The text is empty.", "Write a value or remove the field.");
});

export function wrongType(at: Cursor, expected: string, value: unknown, cure: string): undefined {
  at.error("wrong-type", `Expected ${expected}, found ${describe(value)}.`, cure);
  return undefined;
}

/** A value as a message shows it: short and on one line. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  if (typeof value !== "string") return String(value);
  const text = value.length > 80 ? `${value.slice(0, 77)}...` : value;
  return JSON.stringify(text);
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function numberCure(value: unknown): string {
  const quoted = typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value);
  return quoted ? "Remove the quotes." : "Write a number without quotes.";
}

function checkRange(value: number, range: NumberRange, at: Cursor): void {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = range;
  if (value >= min && value <= max) return;
  at.error("out-of-range", `${value} is outside the range of this field.`, `Use a number ${rangeText(range)}.`);
}

function rangeText({ min, max }: NumberRange): string {
  if (min === undefined) return `of at most ${max}`;
  return max === undefined ? `of at least ${min}` : `from ${min} to ${max}`;
}

function checkCount(length: number, { min = 0, max = 10_000 }: Count, what: string, at: Cursor): boolean {
  if (length >= min && length <= max) return true;
  const cure = length < min ? `Write at least ${min}.` : `Write at most ${max}; split the object if there are more.`;
  at.error("wrong-count", `There are ${length} ${what}.`, cure);
  return false;
}

function emptyEntry(at: Cursor): undefined {
  at.error("empty-entry", "The entry has no value.", "Fill it in or remove it.");
  return undefined;
}
