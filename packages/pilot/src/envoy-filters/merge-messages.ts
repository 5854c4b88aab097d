import {
  clone,
  type DescField,
  type DescMessage,
  isFieldSet,
  type Message,
  type MessageShape,
} from "@bufbuild/protobuf";
import { AnySchema, DurationSchema, isWrapperDesc, StructSchema } from "@bufbuild/protobuf/wkt";

type Fields = Record<string, unknown>;

/**
 * Istio's merge of messages [control-plane §1.8], in place: what `source` sets is set in `target`; messages are merged
 * field by field, lists appended to, entries of maps replaced. A duration is one value, and so is what lies in an
 * `Any`, whose bytes mean nothing without its type.
 */
export function mergeMessages<D extends DescMessage>(
  schema: D,
  target: MessageShape<D>,
  source: MessageShape<D>,
): void {
  // A copy: the patch is applied to other targets too, and nothing of it may be shared.
  const copy = clone(schema, source);
  for (const field of schema.fields) {
    if (isFieldSet(copy, field)) mergeField(target as Message, copy as Message, field);
  }
  if (copy.$unknown !== undefined) target.$unknown = [...(target.$unknown ?? []), ...copy.$unknown];
}

function mergeField(target: Message, source: Message, field: DescField): void {
  const value = fieldValue(source, field);
  switch (field.fieldKind) {
    case "list": {
      const list = fieldValue(target, field) as unknown[];
      list.push(...(value as unknown[]));
      return;
    }
    case "map":
      setValue(target, field, { ...(fieldValue(target, field) as object), ...(value as object) });
      return;
    case "message": {
      const mine = isFieldSet(target as never, field) ? fieldValue(target, field) : undefined;
      if (mine === undefined || isOneValue(field)) setValue(target, field, value);
      // The entries of a struct are those of a map.
      else if (field.message.typeName === StructSchema.typeName)
        setValue(target, field, { ...(mine as object), ...(value as object) });
      else mergeMessages(field.message, mine as Message, value as Message);
      return;
    }
    default:
      setValue(target, field, value);
  }
}

const WHOLE: ReadonlySet<string> = new Set([DurationSchema.typeName, AnySchema.typeName]);

function isOneValue(field: DescField & { fieldKind: "message" }): boolean {
  return WHOLE.has(field.message.typeName) || isWrapperDesc(field.message);
}

function fieldValue(message: Message, field: DescField): unknown {
  const fields = message as unknown as Fields;
  if (field.oneof === undefined) return fields[field.localName];
  const chosen = fields[field.oneof.localName] as { case?: string; value?: unknown };
  return chosen.case === field.localName ? chosen.value : undefined;
}

function setValue(message: Message, field: DescField, value: unknown): void {
  const fields = message as unknown as Fields;
  if (field.oneof === undefined) fields[field.localName] = value;
  else fields[field.oneof.localName] = { case: field.localName, value };
}
