// What else could be written at each place of an object: other types, edges of ranges, fields gone or added.
import { propertySchema } from "./rules.ts";
import type { Json, Schema } from "./schema.ts";

export interface Mutation {
  /** Place in the schema, without indices and map keys: `spec.http[].route[].weight`. */
  readonly place: string;
  readonly what: string;
  readonly object: Json;
}

type Put = (value: unknown) => Json;

const TEXTS = ["", "a", "A_b", "1s", "1ns", "0s", "-1s", "soon", "*", "a/*", "*/*", "10.0.0.1", "10.0.0.0/8"];
const MORE_TEXTS = [
  "a.example.com",
  "*.example.com",
  "http://a.example.com/x",
  "localhost:80/x",
  "http:",
  "ftp://x",
  "oci://a/b",
  "unix:///a",
  "80",
];
const PATHS = [
  "unix://a",
  "unix:///a/",
  "unix://@a",
  "./a.example.com",
  "a b",
  "é",
  "REMOVE",
  "UPSERT",
  "x".repeat(64),
];
const NUMBERS = [-1, 0, 1, 2, 99, 100, 101, 200, 65535, 65536, 2 ** 31, 2 ** 32, 1.5];

/** All single changes of the object below `spec`, in a fixed order. */
export function* mutations(schema: Schema, object: Json): Generator<Mutation> {
  const spec = schema.properties?.spec;
  if (spec === undefined) return;
  const { spec: written, ...head } = object;
  yield { place: "spec", what: "remove", object: head };
  yield* at(spec, written ?? {}, "spec", (value) => ({ ...object, spec: value }));
}

function* at(schema: Schema, value: unknown, place: string, put: Put): Generator<Mutation> {
  for (const [what, other] of others(schema, value)) yield { place, what, object: put(other) };
  if (Array.isArray(value)) yield* inList(schema.items ?? {}, value, place, put);
  else if (typeof value === "object" && value !== null) yield* inObject(schema, value as Json, place, put);
}

function* inList(items: Schema, list: readonly unknown[], place: string, put: Put): Generator<Mutation> {
  for (const [index, entry] of list.slice(0, 2).entries()) {
    yield* at(items, entry, `${place}[]`, (value) => put(list.with(index, value)));
  }
}

function* inObject(schema: Schema, value: Json, place: string, put: Put): Generator<Mutation> {
  const names = new Set([...Object.keys(schema.properties ?? {}), ...Object.keys(value)]);
  for (const name of names) {
    const inner = propertySchema(schema, name);
    if (inner === undefined) continue;
    const named = schema.properties?.[name] === undefined ? `${place}{}` : `${place}.${name}`;
    const { [name]: entry, ...rest } = value;
    if (Object.hasOwn(value, name)) {
      yield { place: named, what: "remove", object: put(rest) };
      yield* at(inner, entry, named, (changed) => put({ ...value, [name]: changed }));
    } else {
      for (const sample of samples(inner)) {
        yield { place: named, what: `add ${short(sample)}`, object: put({ ...value, [name]: sample }) };
      }
    }
  }
  if (typeof schema.additionalProperties === "object") {
    const [sample] = samples(schema.additionalProperties);
    for (const key of ["", "*", "a", "a b", "0", "80", "65536", "x".repeat(64)]) {
      yield { place: `${place}{}`, what: `key ${short(key)}`, object: put({ ...value, [key]: sample }) };
    }
  }
}

/** Other values for a place, right and wrong ones. */
function* others(schema: Schema, value: unknown): Generator<readonly [string, unknown]> {
  for (const wrong of [null, true, 7, "seven", [], {}]) yield [`set ${short(wrong)}`, wrong];
  if (Array.isArray(value)) {
    const [first] = value.length > 0 ? value : samples(schema.items ?? {});
    yield ["double", [...value, ...value]];
    yield ["null entry", [null]];
    if (schema.maxItems !== undefined) yield ["too many", Array.from({ length: schema.maxItems + 1 }, () => first)];
  }
  if (schema.enum !== undefined) for (const name of schema.enum) yield [`set ${short(name)}`, name];
  else if (schema.type === "string") for (const text of texts(schema)) yield [`set ${short(text)}`, text];
  if (schema.type === "integer" || schema.type === "number") {
    const { minimum = 0, maximum = 0 } = schema;
    for (const number of [...NUMBERS, minimum - 1, minimum, maximum, maximum + 1]) yield [`set ${number}`, number];
  }
}

function* texts({ minLength = 0, maxLength }: Schema): Generator<string> {
  yield* [...TEXTS, ...MORE_TEXTS, ...PATHS];
  if (minLength > 0) yield "x".repeat(minLength - 1);
  if (maxLength !== undefined && maxLength < 10_000) yield* ["x".repeat(maxLength), "x".repeat(maxLength + 1)];
}

/** Small values that the schema takes, the likeliest first. */
function samples(schema: Schema): unknown[] {
  const { properties = {}, required = [], items, type } = schema;
  if (schema["x-kubernetes-int-or-string"] === true) return [1, "a"];
  if (schema.enum !== undefined) return [...schema.enum.slice(0, 3)];
  switch (type) {
    case "string":
      return ["a", "1s", "a.example.com", "10.0.0.1", "*", "http://a.example.com/", ""];
    case "integer":
    case "number":
      return [Math.max(1, schema.minimum ?? 1), 80, 100];
    case "boolean":
      return [true, false];
    case "array":
      return [...samples(items ?? {}).map((sample) => [sample]), []];
    default:
      return objects(schema, properties, required);
  }
}

function objects(schema: Schema, properties: Readonly<Record<string, Schema>>, required: readonly string[]): unknown[] {
  const base = Object.fromEntries(required.map((name) => [name, samples(properties[name] ?? {})[0]]));
  if (typeof schema.additionalProperties === "object") {
    return [{}, ...samples(schema.additionalProperties).map((sample) => ({ a: sample }))];
  }
  const one = Object.entries(properties).flatMap(([name, inner]) =>
    required.includes(name)
      ? []
      : samples(inner)
          .slice(0, 2)
          .map((sample) => ({ ...base, [name]: sample })),
  );
  return [base, ...one];
}

function short(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= 60 ? text : `${text.slice(0, 50)}…`;
}
