import { JSON_ARRAY, JSON_BOOLEAN, JSON_NULL, JSON_NUMBER, JSON_OBJECT, JSON_STRING, JsonValue } from "./json.ts";
import { BYTES, ProtobufReader, ProtobufWriter, VARINT } from "./protobuf.ts";
import { isUtf8 } from "./utf8.ts";

// Fields of google.protobuf.Struct, its map entry, Value and ListValue.
const STRUCT_FIELDS: i32 = 1;
const ENTRY_KEY: i32 = 1;
const ENTRY_VALUE: i32 = 2;
const VALUE_NULL: i32 = 1;
const VALUE_NUMBER: i32 = 2;
const VALUE_STRING: i32 = 3;
const VALUE_BOOLEAN: i32 = 4;
const VALUE_STRUCT: i32 = 5;
const VALUE_LIST: i32 = 6;
const LIST_VALUES: i32 = 1;

const MAXIMUM_DEPTH: i32 = 8;
const MAXIMUM_VALUES: i32 = 512;
const MAXIMUM_KEY: i32 = 512;
const MAXIMUM_TEXT: i32 = 4096;

/**
 * Decodes a serialised `google.protobuf.Struct`, a byte string, into an object value. Null: malformed bytes, text that is not UTF-8 (as
 * proto3 parsers refuse it), nesting beyond 8, more than 512 values, a key over 512 or a text over 4096 bytes.
 * Numbers and booleans keep their kind but not their content.
 */
export function decodeStruct(source: string): JsonValue | null {
  const decoder = new StructDecoder(source);
  return decoder.struct(0, source.length, 0);
}

class StructDecoder {
  private readonly source: string;
  private left: i32 = MAXIMUM_VALUES;

  constructor(source: string) {
    this.source = source;
  }

  struct(start: i32, end: i32, depth: i32): JsonValue | null {
    if (depth > MAXIMUM_DEPTH) return null;
    const object = new JsonValue(JSON_OBJECT, "");
    const fields = new ProtobufReader(this.source, start, end);
    while (fields.next()) {
      if (fields.field !== STRUCT_FIELDS || fields.type !== BYTES) continue;
      if (!this.entry(object, fields.start, fields.stop, depth)) return null;
    }
    return fields.failed ? null : object;
  }

  private entry(object: JsonValue, start: i32, end: i32, depth: i32): boolean {
    let name: string | null = "";
    let item: JsonValue | null = new JsonValue(JSON_NULL, "");
    const fields = new ProtobufReader(this.source, start, end);
    while (fields.next()) {
      if (fields.type !== BYTES) continue;
      if (fields.field === ENTRY_KEY) name = this.text(fields.start, fields.stop, MAXIMUM_KEY);
      if (fields.field === ENTRY_VALUE) item = this.value(fields.start, fields.stop, depth);
      if (name === null || item === null) return false;
    }
    if (fields.failed || name === null || item === null) return false;
    object.names.push(name);
    object.items.push(item);
    return true;
  }

  /** Of several fields of the `oneof` the last counts. */
  private value(start: i32, end: i32, depth: i32): JsonValue | null {
    this.left--;
    if (this.left < 0) return null;
    let value: JsonValue | null = new JsonValue(JSON_NULL, "");
    const fields = new ProtobufReader(this.source, start, end);
    while (fields.next()) {
      if (fields.type === BYTES) {
        if (fields.field === VALUE_STRING) value = this.textValue(fields.start, fields.stop);
        if (fields.field === VALUE_STRUCT) value = this.struct(fields.start, fields.stop, depth + 1);
        if (fields.field === VALUE_LIST) value = this.list(fields.start, fields.stop, depth + 1);
        if (value === null) return null;
        continue;
      }
      if (fields.field === VALUE_NULL && fields.type === VARINT) value = new JsonValue(JSON_NULL, "");
      if (fields.field === VALUE_BOOLEAN && fields.type === VARINT) value = new JsonValue(JSON_BOOLEAN, "");
      if (fields.field === VALUE_NUMBER && fields.type !== VARINT) value = new JsonValue(JSON_NUMBER, "");
    }
    return fields.failed ? null : value;
  }

  private list(start: i32, end: i32, depth: i32): JsonValue | null {
    if (depth > MAXIMUM_DEPTH) return null;
    const array = new JsonValue(JSON_ARRAY, "");
    const fields = new ProtobufReader(this.source, start, end);
    while (fields.next()) {
      if (fields.field !== LIST_VALUES || fields.type !== BYTES) continue;
      const item = this.value(fields.start, fields.stop, depth);
      if (item === null) return null;
      array.items.push(item);
    }
    return fields.failed ? null : array;
  }

  private textValue(start: i32, end: i32): JsonValue | null {
    const text = this.text(start, end, MAXIMUM_TEXT);
    return text === null ? null : new JsonValue(JSON_STRING, text);
  }

  private text(start: i32, end: i32, maximum: i32): string | null {
    if (end - start > maximum || !isUtf8(this.source, start, end)) return null;
    return this.source.substring(start, end);
  }
}

/** Builds a `google.protobuf.Struct` with its keys in byte order, which is the deterministic encoding. */
export class StructWriter {
  private readonly names: string[] = [];
  private readonly values: Map<string, string> = new Map<string, string>();

  /** A text that is empty is left out. */
  addText(name: string, text: string): void {
    if (text.length > 0) this.add(name, VALUE_STRING, text);
  }

  /** A struct without fields is left out. */
  addStruct(name: string, struct: StructWriter): void {
    const content = struct.finish();
    if (content.length > 0) this.add(name, VALUE_STRUCT, content);
  }

  /** The message as a byte string. */
  finish(): string {
    const names = this.names.slice(0);
    names.sort(byByteOrder);
    const struct = new ProtobufWriter();
    for (let i: i32 = 0; i < names.length; i++) {
      const name = names[i]!;
      const entry = new ProtobufWriter();
      entry.addBytes(ENTRY_KEY, name);
      entry.addBytes(ENTRY_VALUE, this.values.get(name)!);
      struct.addBytes(STRUCT_FIELDS, entry.finish());
    }
    return struct.finish();
  }

  private add(name: string, field: i32, content: string): void {
    const value = new ProtobufWriter();
    value.addBytes(field, content);
    if (!this.values.has(name)) this.names.push(name);
    this.values.set(name, value.finish());
  }
}

function byByteOrder(a: string, b: string): i32 {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
