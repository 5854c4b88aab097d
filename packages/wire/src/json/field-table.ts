import type { DescField, DescMessage } from "@bufbuild/protobuf";

// A cache of constants: which field a JSON key names, per message type.
const tables = new WeakMap<DescMessage, ReadonlyMap<string, DescField>>();

/** The fields of a message type by their names in JSON, lowerCamelCase and as declared. */
export function fieldTable(schema: DescMessage): ReadonlyMap<string, DescField> {
  let table = tables.get(schema);
  if (table === undefined) {
    table = new Map(schema.fields.flatMap((field) => [[field.name, field] as const, [field.jsonName, field] as const]));
    tables.set(schema, table);
  }
  return table;
}
