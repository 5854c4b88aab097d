import { create, type DescField, type DescMessage, type DescOneof, type Message } from "@bufbuild/protobuf";
import { type Any, AnySchema, hasCustomJsonRepresentation, isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { packAny } from "../any/pack-any.ts";
import { unknownTypeMessage } from "../any/unknown-type.ts";
import type { FieldPath } from "../field-path.ts";
import { type ElementType, isStoredAsJson, setFieldValue, setOwn, unwrappedType } from "../local-value.ts";
import { nearestName } from "../nearest-name.ts";
import { typeNameOfUrl, typeRegistry } from "../type-registry.ts";
import { copyJsonList, copyJsonObject, copyJsonValue } from "./copy-json.ts";
import { type DecodeState, failed } from "./decode-state.ts";
import { fieldTable } from "./field-table.ts";
import { readEnum, readMapKey, readScalar } from "./read-scalar.ts";
import { listFromJson, structFromJson, valueFromJson } from "./read-struct.ts";
import { readDuration, readFieldMask, readTimestamp } from "./read-well-known.ts";
import { excerpt, isJsonObject, wrongType } from "./refusal.ts";

type Outcome<T> = T | typeof failed;

/** Walks JSON and descriptors together. A message with faults comes out incomplete: the caller drops it. */
export class MessageReader {
  readonly #state: DecodeState;

  constructor(state: DecodeState) {
    this.#state = state;
  }

  read(schema: DescMessage, json: unknown, path: FieldPath): Outcome<Message> {
    return this.#state.nested(
      path,
      1,
      () => this.#wellKnown(schema, json, path) ?? this.#plainMessage(schema, json, path, false),
    );
  }

  #plainMessage(schema: DescMessage, json: unknown, path: FieldPath, inAny: boolean): Outcome<Message> {
    if (!isJsonObject(json)) return this.#state.refuse(path, wrongType(`an object (${schema.typeName})`, json));
    const message = create(schema);
    const fields = fieldTable(schema);
    const seen = new Set<DescField | DescOneof>();
    for (const key of Object.keys(json)) {
      if (this.#state.stopped) break;
      const value = json[key];
      if (value === undefined || (inAny && key === "@type")) continue;
      const field = fields.get(key);
      if (field === undefined) this.#unknownField(schema, key, path);
      else this.#field(message, field, value, path.field(field.jsonName, key), seen);
    }
    return message;
  }

  #field(message: Message, field: DescField, json: unknown, path: FieldPath, seen: Set<DescField | DescOneof>): void {
    if (!this.#state.count(path)) return;
    if (seen.has(field)) {
      this.#state.fault("WIRE_SET_TWICE", path, "the field is given twice, in both spellings");
      return;
    }
    seen.add(field);
    if (json === null && !takesNull(field)) return;
    if (field.oneof !== undefined && seen.has(field.oneof)) {
      const names = field.oneof.fields.map((member) => member.jsonName).join(", ");
      this.#state.fault("WIRE_SET_TWICE", path, `only one of ${names} can be set`);
      return;
    }
    if (field.oneof !== undefined) seen.add(field.oneof);
    const value = this.#fieldValue(field, json, path);
    if (value !== failed) setFieldValue(message, field, value);
  }

  #fieldValue(field: DescField, json: unknown, path: FieldPath): unknown {
    if (field.fieldKind === "list") return this.#list(field, json, path);
    if (field.fieldKind === "map") return this.#map(field, json, path);
    const wrapper = unwrappedType(field);
    if (wrapper !== undefined) return this.#state.taken(readScalar(wrapper.fields[0].scalar, json), path);
    return this.#element(field, isStoredAsJson(field), json, path);
  }

  #list(field: DescField, json: unknown, path: FieldPath): unknown {
    if (!Array.isArray(json)) return this.#state.refuse(path, wrongType("a list", json));
    const asJson = isStoredAsJson(field);
    const items: unknown[] = [];
    for (let index = 0; index < json.length; index++) {
      const itemPath = path.index(index);
      if (!this.#state.count(itemPath)) break;
      const item = this.#element(field, asJson, json[index], itemPath);
      if (item !== failed) items.push(item);
    }
    return items;
  }

  #map(field: DescField & { fieldKind: "map" }, json: unknown, path: FieldPath): unknown {
    if (!isJsonObject(json)) return this.#state.refuse(path, wrongType("an object (a map)", json));
    const asJson = isStoredAsJson(field);
    const entries: Record<string, unknown> = {};
    for (const key of Object.keys(json)) {
      const entryPath = path.entry(key);
      if (!this.#state.count(entryPath)) break;
      const localKey = this.#state.taken(readMapKey(field.mapKey, key), entryPath);
      const value = this.#element(field, asJson, json[key], entryPath);
      if (localKey !== failed && value !== failed) setOwn(entries, localKey, value);
    }
    return entries;
  }

  #element(type: ElementType, asJson: boolean, json: unknown, path: FieldPath): unknown {
    if (type.scalar !== undefined) return this.#state.taken(readScalar(type.scalar, json), path);
    if (type.enum !== undefined) return this.#state.taken(readEnum(type.enum, json), path);
    if (type.message === undefined) return failed;
    return asJson ? copyJsonObject(this.#state, json, path) : this.read(type.message, json, path);
  }

  // Undefined: the type has no JSON form of its own.
  #wellKnown(schema: DescMessage, json: unknown, path: FieldPath): Outcome<Message> | undefined {
    const state = this.#state;
    switch (schema.typeName) {
      case "google.protobuf.Any":
        return this.#any(json, path);
      case "google.protobuf.Duration":
        return state.taken(readDuration(json), path);
      case "google.protobuf.Timestamp":
        return state.taken(readTimestamp(json), path);
      case "google.protobuf.FieldMask":
        return state.taken(readFieldMask(json), path);
      case "google.protobuf.Struct":
        return converted(copyJsonObject(state, json, path), structFromJson);
      case "google.protobuf.Value":
        return converted(copyJsonValue(state, json, path), valueFromJson);
      case "google.protobuf.ListValue":
        return converted(copyJsonList(state, json, path), listFromJson);
    }
    if (!isWrapperDesc(schema)) return undefined;
    const value = state.taken(readScalar(schema.fields[0].scalar, json), path);
    return converted(value, (scalar) => create(schema, { value: scalar } as never));
  }

  #any(json: unknown, path: FieldPath): Outcome<Any> {
    if (!isJsonObject(json)) return this.#state.refuse(path, wrongType("an object with @type", json));
    if (Object.keys(json).length === 0) return create(AnySchema);
    const typeUrl = json["@type"];
    const schema = typeof typeUrl === "string" ? typeRegistry.getMessage(typeNameOfUrl(typeUrl)) : undefined;
    if (typeof typeUrl !== "string" || schema === undefined) {
      return this.#state.fault("WIRE_UNKNOWN_TYPE", path.field("@type"), unknownTypeMessage(typeUrl));
    }
    const read = hasCustomJsonRepresentation(schema) ? this.#anyValue : this.#plainMessage;
    const message = read.call(this, schema, json, path, true);
    // With faults these would be the bytes of half a message; nobody gets to see them.
    if (message === failed || this.#state.faults.faults.length > 0) return failed;
    return packAny(schema, message, typeUrl);
  }

  // Types with a JSON form of their own stand under "value", beside "@type" alone.
  #anyValue(schema: DescMessage, json: Record<string, unknown>, path: FieldPath): Outcome<Message> {
    for (const key of Object.keys(json)) {
      if (key !== "@type" && key !== "value") this.#unknownField(schema, key, path);
    }
    return this.read(schema, json.value, path.field("value"));
  }

  #unknownField(schema: DescMessage, key: string, path: FieldPath): void {
    const nearest = nearestName(
      key,
      schema.fields.map((field) => field.jsonName),
    );
    const hint = nearest === undefined ? "" : `; did you mean ${nearest}?`;
    const message = `${schema.typeName} has no field ${excerpt(key)}${hint}`;
    this.#state.unknownFields.add("WIRE_UNKNOWN_FIELD", path.field(key), message);
  }
}

function takesNull(field: DescField): boolean {
  if (field.fieldKind === "enum") return field.enum.typeName === "google.protobuf.NullValue";
  return field.fieldKind === "message" && field.message.typeName === "google.protobuf.Value";
}

function converted<T, U>(value: Outcome<T>, convert: (value: T) => U): Outcome<U> {
  return value === failed ? failed : convert(value as T);
}
