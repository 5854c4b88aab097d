import { type DescField, type DescMessage, fromBinary, getOption, type MessageShape } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { FieldBehavior, field_behavior } from "@mixerless/wire/google/api/field_behavior";

/** Required where nothing stands in for them: a request's own log name and resource hold for entries without (logging.proto). */
const DEFAULTED = new Set(["google.logging.v2.LogEntry.log_name", "google.logging.v2.LogEntry.resource"]);

/** A message, and everything that its definition says against it. */
export type Checked<Schema extends DescMessage> = {
  readonly message: MessageShape<Schema>;
  readonly faults: readonly string[];
};

/**
 * Decodes as a strict server does: fields that the definition doesn't have, values that its enumerations don't have
 * and required fields that are missing are faults. Throws on bytes that are no message at all.
 */
export function checkMessage<Schema extends DescMessage>(schema: Schema, bytes: Uint8Array): Checked<Schema> {
  const message = fromBinary(schema, bytes);
  const faults: string[] = [];
  walk(reflect(schema, message), "", faults);
  return { message, faults };
}

function walk(message: ReflectMessage, path: string, faults: string[]): void {
  for (const { no } of message.getUnknown() ?? []) faults.push(`${path}: there is no field ${no}`);
  for (const field of message.fields) {
    const at = path === "" ? field.name : `${path}.${field.name}`;
    const required = getOption(field, field_behavior).includes(FieldBehavior.REQUIRED);
    if (message.isSet(field)) checkField(message, field, at, faults);
    else if (required && !DEFAULTED.has(`${field.parent.typeName}.${field.name}`)) faults.push(`${at} is required`);
  }
}

function checkField(message: ReflectMessage, field: DescField, at: string, faults: string[]): void {
  switch (field.fieldKind) {
    case "message":
      // Well-known types have shapes of their own here, and nothing to be wrong.
      if (!field.message.typeName.startsWith("google.protobuf.")) walk(message.get(field), at, faults);
      break;
    case "list": {
      const list = message.get(field);
      for (let i = 0; i < list.size; i++) checkElement(field, list.get(i), `${at}[${i}]`, faults);
      break;
    }
    case "map":
      for (const [key, value] of message.get(field)) checkElement(field, value, `${at}["${String(key)}"]`, faults);
      break;
    case "enum":
    case "scalar":
      checkElement(field, message.get(field), at, faults);
  }
}

function checkElement(field: DescField, value: unknown, at: string, faults: string[]): void {
  if (field.message !== undefined) {
    if (!field.message.typeName.startsWith("google.protobuf.")) walk(value as ReflectMessage, at, faults);
  } else if (field.enum !== undefined) {
    if (!field.enum.values.some((known) => known.number === value))
      faults.push(`${at}: no value has the number ${String(value)}`);
  }
}
