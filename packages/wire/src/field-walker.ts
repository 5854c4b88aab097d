import { type DescField, type DescMessage, isFieldSet, type Message } from "@bufbuild/protobuf";
import { type Any, hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { unpackTypedConfig } from "./any/typed-struct.ts";
import type { Fault } from "./fault.ts";
import { FieldPath } from "./field-path.ts";
import { fieldValue, isStoredAsJson, unwrappedType } from "./local-value.ts";

/** One set field of one message. A list or a map is one field; the messages in it are walked after it. */
export interface FieldVisit {
  /** The message type that declares the field. */
  readonly schema: DescMessage;
  readonly field: DescField;
  /** The message that holds the field. */
  readonly message: Message;
  /** In the form of the generated types: wrappers bare, a Struct as JSON, 64-bit numbers as bigint. */
  readonly value: unknown;
  /** Render it only when it is needed. */
  readonly path: FieldPath;
}

/** What a walk calls. */
export interface FieldVisitor {
  /** Called for each set field, before what lies in it. Return false to skip that. */
  field(visit: FieldVisit): boolean;
  /** A field number that the definition does not have: written by a newer or by a broken peer. */
  unknownField?(schema: DescMessage, number: number, path: FieldPath): void;
  /** An `Any` that could not be opened: unknown type or bad content. */
  fault?(fault: Fault): void;
}

const mostNestedAnys = 16;

/**
 * Visits every set field of a message and of all messages in it, through `Any` and TypedStruct, in the order of
 * declaration. Well-known types with a JSON form of their own (Duration, Struct, wrappers) are values, not walked into.
 * Paths name the fields as JSON does and pass through an `Any` without a step of their own.
 */
export function walkFields(schema: DescMessage, message: Message, visitor: FieldVisitor): void {
  new Walk(visitor).message(schema, message, FieldPath.root, 0);
}

class Walk {
  readonly #visitor: FieldVisitor;

  constructor(visitor: FieldVisitor) {
    this.#visitor = visitor;
  }

  message(schema: DescMessage, message: Message, path: FieldPath, anys: number): void {
    if (schema.typeName === "google.protobuf.Any") this.#any(message as Any, path, anys);
    if (hasCustomJsonRepresentation(schema)) return;
    for (const field of schema.fields) {
      if (!isFieldSet(message, field)) continue;
      const visit = { schema, field, message, value: fieldValue(message, field), path: path.field(field.jsonName) };
      if (this.#visitor.field(visit)) this.#inside(field, visit.value, visit.path, anys);
    }
    for (const unknown of message.$unknown ?? []) this.#visitor.unknownField?.(schema, unknown.no, path);
  }

  #inside(field: DescField, value: unknown, path: FieldPath, anys: number): void {
    const inner = field.message;
    if (inner === undefined || isStoredAsJson(field) || unwrappedType(field) !== undefined) return;
    if (field.fieldKind === "list") {
      for (const [index, item] of (value as readonly Message[]).entries()) {
        this.message(inner, item, path.index(index), anys);
      }
    } else if (field.fieldKind === "map") {
      for (const [key, entry] of Object.entries(value as Record<string, Message>)) {
        this.message(inner, entry, path.entry(key), anys);
      }
    } else {
      this.message(inner, value as Message, path, anys);
    }
  }

  #any(any: Any, path: FieldPath, anys: number): void {
    if (any.typeUrl === "" && any.value.length === 0) return;
    if (anys >= mostNestedAnys) {
      const message = `more than ${mostNestedAnys} Anys inside one another`;
      this.#visitor.fault?.({ code: "WIRE_TOO_DEEP", path: path.toString(), keys: path.keys(), message });
      return;
    }
    const unpacked = unpackTypedConfig(any, path);
    if (unpacked.faults === undefined) this.message(unpacked.schema, unpacked.message, path, anys + 1);
    else for (const fault of unpacked.faults) this.#visitor.fault?.(fault);
  }
}
