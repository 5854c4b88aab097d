// The published CustomResourceDefinitions, as an API server applies them: prune, check the structure, then the rules.
import { readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import { ruleProblems } from "./rules.ts";

/** The part of a structural schema that Istio's definitions use. */
export interface Schema {
  readonly type?: "object" | "array" | "string" | "integer" | "number" | "boolean";
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly nullable?: boolean;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly not?: Schema;
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
  readonly "x-kubernetes-validations"?: readonly { readonly rule: string; readonly message?: string }[];
}

interface Definition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: Schema } }[];
  };
}

export type Json = Readonly<Record<string, unknown>>;

/** `group/version Kind` → schema of the whole object. */
export function readDefinitions(file: string): ReadonlyMap<string, Schema> {
  const schemas = new Map<string, Schema>();
  for (const document of parseAllDocuments(readFileSync(file, "utf8"))) {
    const definition = document.toJS() as Definition | null;
    if (definition === null) continue;
    const { group, names, versions } = definition.spec;
    for (const { name, schema } of versions) schemas.set(`${group}/${name} ${names.kind}`, schema.openAPIV3Schema);
  }
  return schemas;
}

/** Why an API server would refuse the object; empty: it takes it. */
export function crdProblems(schema: Schema, object: Json): string[] {
  const pruned = prune(schema, object);
  const problems: string[] = [];
  checkStructure(schema, pruned, "", problems);
  if (problems.length === 0) ruleProblems(schema, pruned, "", problems);
  return problems;
}

/** Unknown fields go, and so do nulls where null means nothing. */
function prune(schema: Schema, value: unknown): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? value : value.map((item) => prune(items, item));
  }
  if (typeof value !== "object" || value === null) return value;
  if (schema["x-kubernetes-preserve-unknown-fields"] === true) return value;
  const { properties = {}, additionalProperties: more } = schema;
  const kept: [string, unknown][] = [];
  for (const [name, entry] of Object.entries(value)) {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (property !== undefined) {
      if (entry !== null || property.nullable === true) kept.push([name, prune(property, entry)]);
    } else if (typeof more === "object") kept.push([name, prune(more, entry)]);
    else if (schema.properties === undefined && more !== false) kept.push([name, entry]);
    // apiVersion, kind and metadata are the API server's own, whatever the definition says of them.
    else if (Object.hasOwn(value, "apiVersion") && ["apiVersion", "kind", "metadata"].includes(name))
      kept.push([name, entry]);
  }
  return Object.fromEntries(kept);
}

function checkStructure(schema: Schema, value: unknown, path: string, problems: string[]): void {
  const report = (text: string) => problems.push(`${path}: ${text}`);
  if (value === null && schema.nullable === true) return;
  if (!hasType(schema, value)) {
    report(`is no ${schema.type ?? "int-or-string"}`);
    return;
  }
  if (schema.enum !== undefined && !schema.enum.includes(value)) report("is none of the enum");
  if (typeof value === "number") checkNumber(schema, value, report);
  if (typeof value === "string") checkText(schema, value, report);
  if (Array.isArray(value)) {
    checkCount(schema.minItems, schema.maxItems, value.length, report);
    checkKeys(schema["x-kubernetes-list-map-keys"], value as readonly Json[], report);
    const { items } = schema;
    if (items !== undefined) {
      value.forEach((item, index) => {
        checkStructure(items, item, `${path}[${index}]`, problems);
      });
    }
  } else if (typeof value === "object" && value !== null) checkObject(schema, value as Json, path, problems);
  checkAlternatives(schema, value, path, problems);
}

function checkObject(schema: Schema, value: Json, path: string, problems: string[]): void {
  const report = (text: string) => problems.push(`${path}: ${text}`);
  checkCount(schema.minProperties, schema.maxProperties, Object.keys(value).length, report);
  for (const name of schema.required ?? []) if (!Object.hasOwn(value, name)) report(`has no ${name}`);
  const more = typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
  for (const [name, entry] of Object.entries(value)) {
    const inner = schema.properties?.[name] ?? more;
    if (inner !== undefined) checkStructure(inner, entry, `${path}.${name}`, problems);
  }
}

function checkAlternatives(schema: Schema, value: unknown, path: string, problems: string[]): void {
  const holds = (part: Schema) => {
    const found: string[] = [];
    checkStructure(part, value, path, found);
    return found.length === 0;
  };
  const { oneOf, anyOf, allOf, not } = schema;
  if (oneOf !== undefined && oneOf.filter(holds).length !== 1) problems.push(`${path}: not exactly one of oneOf holds`);
  if (anyOf !== undefined && !anyOf.some(holds)) problems.push(`${path}: nothing of anyOf holds`);
  if (allOf !== undefined && !allOf.every(holds)) problems.push(`${path}: not all of allOf hold`);
  if (not !== undefined && holds(not)) problems.push(`${path}: what must not hold does`);
}

function hasType(schema: Schema, value: unknown): boolean {
  if (schema["x-kubernetes-int-or-string"] === true) return typeof value === "string" || Number.isInteger(value);
  switch (schema.type) {
    case undefined:
      return true;
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "array":
      return Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    default:
      return typeof value === schema.type;
  }
}

function checkNumber({ minimum, maximum, format }: Schema, value: number, report: (text: string) => void): void {
  if (minimum !== undefined && value < minimum) report(`is below ${minimum}`);
  if (maximum !== undefined && value > maximum) report(`is above ${maximum}`);
  if (format === "int32" && (value < -(2 ** 31) || value >= 2 ** 31)) report("is no int32");
}

function checkText(schema: Schema, value: string, report: (text: string) => void): void {
  const length = [...value].length;
  if (schema.minLength !== undefined && length < schema.minLength) report("is too short");
  if (schema.maxLength !== undefined && length > schema.maxLength) report("is too long");
  if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(value)) report(`is not like ${schema.pattern}`);
  if (schema.format === "byte" && !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value))
    report("is no base64");
}

function checkCount(min = 0, max = Number.POSITIVE_INFINITY, count: number, report: (text: string) => void): void {
  if (count < min || count > max) report(`has ${count} entries`);
}

function checkKeys(keys: readonly string[] | undefined, items: readonly Json[], report: (text: string) => void): void {
  if (keys === undefined) return;
  const seen = new Set(items.map((item) => JSON.stringify(keys.map((key) => item?.[key]))));
  if (seen.size < items.length) report(`repeats ${keys.join(", ")}`);
}
