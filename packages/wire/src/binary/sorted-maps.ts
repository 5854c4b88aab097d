import { type DescField, type DescMessage, isFieldSet, type Message } from "@bufbuild/protobuf";
import { fieldValue, isStoredAsJson, setFieldValue, setOwn, unwrappedType } from "../local-value.ts";

// A cache of constants: the fields of each type below which a map can lie. Most types have none.
const fieldsWithMaps = new WeakMap<DescMessage, readonly DescField[]>();

/**
 * The message with the entries of all its maps in order of their keys (numeric keys first, as objects keep them).
 * Returns the message itself if they are already, otherwise a copy that shares what needed no change.
 */
export function withSortedMaps<T extends Message>(schema: DescMessage, message: T): T {
  let copy: T | undefined;
  for (const field of mapFields(schema)) {
    if (!isFieldSet(message, field)) continue;
    const value = fieldValue(message, field);
    const sorted = sortedValue(field, value);
    if (sorted === value) continue;
    copy ??= Object.assign(Object.create(Object.getPrototypeOf(message)), message) as T;
    setFieldValue(copy, field, sorted);
  }
  return copy ?? message;
}

function mapFields(schema: DescMessage): readonly DescField[] {
  let fields = fieldsWithMaps.get(schema);
  if (fields === undefined) {
    fields = schema.fields.filter((field) => holdsMaps(field, new Set()));
    fieldsWithMaps.set(schema, fields);
  }
  return fields;
}

function holdsMaps(field: DescField, seen: Set<DescMessage>): boolean {
  if (field.fieldKind === "map" || isStoredAsJson(field)) return true;
  if (field.message === undefined || unwrappedType(field) !== undefined || seen.has(field.message)) return false;
  seen.add(field.message);
  return field.message.fields.some((inner) => holdsMaps(inner, seen));
}

function sortedValue(field: DescField, value: unknown): unknown {
  const sortOne = elementSorter(field);
  if (field.fieldKind === "list") return sortedItems(value as readonly unknown[], sortOne);
  if (field.fieldKind === "map") return sortedEntries(value as Record<string, unknown>, sortOne);
  return sortOne(value);
}

function elementSorter(field: DescField): (value: unknown) => unknown {
  if (isStoredAsJson(field)) return sortedJson;
  const schema = field.message;
  return schema === undefined ? (value) => value : (value) => withSortedMaps(schema, value as Message);
}

function sortedJson(json: unknown): unknown {
  if (Array.isArray(json)) return sortedItems(json, sortedJson);
  if (typeof json === "object" && json !== null) return sortedEntries(json as Record<string, unknown>, sortedJson);
  return json;
}

function sortedItems(items: readonly unknown[], sortOne: (value: unknown) => unknown): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (let index = 0; index < items.length; index++) {
    const sorted = sortOne(items[index]);
    if (sorted === items[index]) continue;
    copy ??= [...items];
    copy[index] = sorted;
  }
  return copy ?? items;
}

function sortedEntries(
  entries: Record<string, unknown>,
  sortOne: (value: unknown) => unknown,
): Record<string, unknown> {
  const keys = Object.keys(entries);
  const sortedKeys = keys.toSorted();
  let changed = keys.some((key, index) => key !== sortedKeys[index]);
  const copy: Record<string, unknown> = {};
  for (const key of sortedKeys) {
    const sorted = sortOne(entries[key]);
    changed ||= sorted !== entries[key];
    setOwn(copy, key, sorted);
  }
  return changed ? copy : entries;
}
