import type { Cursor } from "./cursor.ts";
import { nearestName } from "./nearest-name.ts";
import { isObject, list, map, type Reader, wrongType } from "./reader.ts";

export interface PresentField<T> {
  readonly reader: Reader<T>;
  readonly presence: "required" | "default";
  readonly fallback?: T;
}

export interface OptionalField<T> {
  readonly reader: Reader<T>;
  readonly presence: "optional";
}

/** How one field of an object is read. */
export type Field<T> = PresentField<T> | OptionalField<T>;

/** Absence is a fault. */
export function required<T>(reader: Reader<T>): PresentField<T> {
  return { reader, presence: "required" };
}

/** Absence leaves the field out of the result. */
export function optional<T>(reader: Reader<T>): OptionalField<T> {
  return { reader, presence: "optional" };
}

/** Absence reads as `fallback`. */
export function withDefault<T>(reader: Reader<T>, fallback: NoInfer<T>): PresentField<T> {
  return { reader, presence: "default", fallback };
}

/** A list that is empty when absent. */
export function lists<T>(entry: Reader<T>, max?: number): PresentField<readonly T[]> {
  return withDefault(list(entry, max === undefined ? {} : { max }), Object.freeze([]));
}

/** A map that is empty when absent. */
export function maps<T>(entry: Reader<T>): PresentField<Readonly<Record<string, T>>> {
  return withDefault(map(entry), Object.freeze(Object.create(null) as Record<string, T>));
}

type Fields = Readonly<Record<string, Field<unknown>>>;
type PresentKeys<F> = { [K in keyof F]: F[K] extends PresentField<unknown> ? K : never }[keyof F];
type OptionalKeys<F> = Exclude<keyof F, PresentKeys<F>>;
type ValueOf<F> = F extends Field<infer T> ? T : never;

/** What an object with these fields reads as. */
export type ObjectOf<F> = { readonly [K in PresentKeys<F>]: ValueOf<F[K]> } & {
  readonly [K in OptionalKeys<F>]?: ValueOf<F[K]>;
};

export interface ObjectOptions {
  /** Fields that exist but mean nothing to the mesh: neither read nor reported. */
  readonly ignored?: readonly string[];
  /** Fields that mean nothing to the mesh, but whose form is checked all the same. */
  readonly unused?: Readonly<Record<string, Reader<unknown>>>;
  /** Leaves unknown fields unmentioned, for objects of which only a part is of interest. */
  readonly open?: boolean;
}

/**
 * An object. Unknown fields are ignored, as the API server and istiod do, but reported as warnings with the
 * name that was probably meant (§8.1). `snake_case` spellings of known fields are read and reported.
 * A null field counts as absent, as in the JSON form of Protobuf.
 */
export function object<const F extends Fields>(fields: F, options: ObjectOptions = {}): Reader<ObjectOf<F>> {
  const known = Object.keys(fields);
  const unused = Object.entries(options.unused ?? {});
  const silent = new Set([...(options.ignored ?? []), ...unused.map(([name]) => name)]);
  return (value, at) => {
    if (!isObject(value)) return wrongType(at, "an object", value, "Write fields with their values.");
    const renamed = options.open === true ? value : reviewKeys(value, fields, silent, at);
    const result: Record<string, unknown> = {};
    let complete = true;
    for (const name of known) {
      const field = fields[name];
      if (field === undefined) continue;
      const written = Object.hasOwn(renamed, name) ? renamed[name] : undefined;
      const read =
        written === undefined || written === null ? absent(field, name, at) : field.reader(written, at.at(name));
      if (read !== undefined) result[name] = read;
      else if (field.presence !== "optional" || (written !== undefined && written !== null)) complete = false;
    }
    for (const [name, reader] of unused) {
      const written = Object.hasOwn(renamed, name) ? renamed[name] : undefined;
      if (written !== undefined && written !== null) reader(written, at.at(name));
    }
    return complete ? (Object.freeze(result) as ObjectOf<F>) : undefined;
  };
}

/** Reads, and lets `check` ask which fields were written: in some rules an empty value differs from none. */
export function asWritten<T>(
  reader: Reader<T>,
  check: (has: (name: string) => boolean, read: T, at: Cursor) => void,
): Reader<T> {
  return (value, at) => {
    const read = reader(value, at);
    if (read === undefined || !isObject(value)) return read;
    check((name) => Object.hasOwn(value, name) && value[name] !== null, read, at);
    return read;
  };
}

function absent(field: Field<unknown>, name: string, at: Cursor): unknown {
  if (field.presence === "default") return field.fallback;
  if (field.presence === "required") at.error("missing-field", `The field ${name} is missing.`, `Add ${name}.`);
  return undefined;
}

function reviewKeys(
  value: Readonly<Record<string, unknown>>,
  fields: Fields,
  silent: ReadonlySet<string>,
  at: Cursor,
): Readonly<Record<string, unknown>> {
  let renamed: Record<string, unknown> | undefined;
  for (const key of Object.keys(value)) {
    if (Object.hasOwn(fields, key) || silent.has(key)) continue;
    const camel = key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
    if (camel !== key && Object.hasOwn(fields, camel) && !Object.hasOwn(value, camel)) {
      renamed ??= { ...value };
      renamed[camel] = value[key];
      at.at(key).warn(
        "old-spelling",
        `${key} is read as ${camel}; a Kubernetes API server would drop it.`,
        `Write ${camel}.`,
      );
    } else {
      const guess = nearestName(key, [...Object.keys(fields), ...silent]);
      const cure = guess === undefined ? `Remove it; known here: ${listed(Object.keys(fields))}.` : `Write ${guess}.`;
      const hint = guess === undefined ? "" : ` Did you mean ${guess}?`;
      at.at(key).warn("unknown-field", `There is no field ${key} here, so it has no effect.${hint}`, cure);
    }
  }
  return renamed ?? value;
}

function listed(names: readonly string[]): string {
  return names.length <= 12 ? names.join(", ") : `${names.slice(0, 12).join(", ")} and ${names.length - 12} more`;
}
