import { type DescField, type DescMessage, isFieldSet, type Message } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence, isWrapperDesc, type WktWrapperDesc } from "@bufbuild/protobuf/wkt";

/** The type of a field's value, of a list's elements or of a map's values: exactly one property is set. */
export type ElementType = Pick<DescField, "scalar" | "enum" | "message">;

type LocalMessage = Record<string, unknown>;
type LocalOneof = { readonly case?: string | undefined; readonly value?: unknown };

/** The field's value as the generated types see it, or undefined if the field is not set. */
export function fieldValue(message: Message, field: DescField): unknown {
  if (!isFieldSet(message, field)) return undefined;
  const local = message as unknown as LocalMessage;
  return field.oneof === undefined ? local[field.localName] : (local[field.oneof.localName] as LocalOneof).value;
}

/** Like {@link fieldValue}, but a field that cannot be unset (a plain proto3 scalar, a list, a map) gives its zero value. */
export function fieldValueOrZero(message: Message, field: DescField): unknown {
  const alwaysThere = field.presence === FeatureSet_FieldPresence.IMPLICIT && field.oneof === undefined;
  return alwaysThere ? (message as unknown as LocalMessage)[field.localName] : fieldValue(message, field);
}

/** Sets a field to a value in its local form. The value is not checked. */
export function setFieldValue(message: Message, field: DescField, value: unknown): void {
  const local = message as unknown as LocalMessage;
  if (field.oneof === undefined) local[field.localName] = value;
  else local[field.oneof.localName] = { case: field.localName, value };
}

/** Assigns an own property whatever the key; a plain assignment to `__proto__` would change the prototype. */
export function setOwn(target: object, key: string, value: unknown): void {
  if (key === "__proto__") {
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    (target as LocalMessage)[key] = value;
  }
}

/** True if the library keeps the field's google.protobuf.Struct as plain JSON. */
export function isStoredAsJson(field: DescField): boolean {
  return field.message?.typeName === "google.protobuf.Struct" && field.parent.typeName !== "google.protobuf.Value";
}

/** The wrapper type (google.protobuf.UInt32Value …) of a field whose value the library stores bare, else undefined. */
export function unwrappedType(field: DescField): WktWrapperDesc | undefined {
  if (field.fieldKind !== "message" || field.oneof !== undefined) return undefined;
  return isWrapper(field.message) ? field.message : undefined;
}

function isWrapper(schema: DescMessage): schema is WktWrapperDesc {
  return isWrapperDesc(schema);
}
