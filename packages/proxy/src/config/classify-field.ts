import type { FieldVisit } from "@mixerless/wire";
import { BOOTSTRAP_FIELD_CLASSES } from "./bootstrap-field-classes.ts";
import { FIELD_CLASSES } from "./field-classes.ts";

/** Null for a field of a message that is not listed: it belongs to that message's compiler. */
export function classifyField({
  schema,
  field,
}: Pick<FieldVisit, "schema" | "field">): "implemented" | "ignored" | "refused" | null {
  const classes = FIELD_CLASSES[schema.typeName] ?? BOOTSTRAP_FIELD_CLASSES[schema.typeName];
  if (classes === undefined) return null;
  if (classes.implemented.includes(field.name)) return "implemented";
  return classes.ignored.includes(field.name) ? "ignored" : "refused";
}
