import type { DescMessage, JsonObject, MessageShape } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { TypedStructSchema as UdpaTypedStructSchema } from "#generated/udpa/type/v1/typed_struct_pb.js";
import { TypedStructSchema as XdsTypedStructSchema } from "#generated/xds/type/v3/typed_struct_pb.js";
import type { Decoded } from "../fault.ts";
import { FieldPath } from "../field-path.ts";
import { decodeJson } from "../json/decode-json.ts";
import { typeNameOfUrl, typeRegistry } from "../type-registry.ts";
import { formOfToday, nameOfToday } from "./older-plugin.ts";
import { typeMismatch, type Unpacked, unpackAny, unpackAnyAs } from "./unpack-any.ts";

/** What both TypedStruct messages hold: the name of a type, and its JSON form as a Struct. */
interface TypedStruct {
  readonly typeUrl: string;
  readonly value?: JsonObject | undefined;
}

/**
 * A message of the type `schema` from an `Any` that holds it as a TypedStruct (`udpa.type.v1` or `xds.type.v3`) or
 * plainly. The struct is read as strict JSON; its faults lie below `value`.
 */
export function unpackTypedStruct<Schema extends DescMessage>(
  any: Any,
  schema: Schema,
  at: FieldPath = FieldPath.root,
): Decoded<MessageShape<Schema>> {
  const struct = openTypedStruct(any, at);
  if (struct === undefined) return unpackAnyAs(any, schema, at);
  if (struct.faults !== undefined) return { faults: struct.faults };
  const { typeUrl, value } = struct.message;
  if (typeNameOfUrl(typeUrl) !== schema.typeName)
    return { faults: [typeMismatch(schema, typeUrl, at.field("typeUrl"))] };
  return decodeJson(schema, value ?? {}, { at: at.field("value") });
}

/**
 * The message that an `Any` means: like {@link unpackAny}, but a TypedStruct of a known type comes out as that type.
 * A TypedStruct of an unknown type comes out as itself, since it may be meant for somebody else.
 */
export function unpackTypedConfig(any: Any, at: FieldPath = FieldPath.root): Unpacked {
  const struct = openTypedStruct(any, at);
  if (struct === undefined) return unpackAny(any, at);
  if (struct.faults !== undefined) return { faults: struct.faults };
  const schema = typeRegistry.getMessage(typeNameOfUrl(struct.message.typeUrl));
  if (schema === undefined) return unpackAny(any, at);
  const decoded = decodeJson(schema, struct.message.value ?? {}, { at: at.field("value") });
  return decoded.faults === undefined ? { schema, message: decoded.message } : { faults: decoded.faults };
}

// Undefined: the Any holds no TypedStruct.
function openTypedStruct(any: Any, at: FieldPath): Decoded<TypedStruct> | undefined {
  const type = typeNameOfUrl(any.typeUrl);
  const schema = [UdpaTypedStructSchema, XdsTypedStructSchema].find((one) => one.typeName === type);
  if (schema === undefined) return undefined;
  const decoded: Decoded<TypedStruct> = unpackAnyAs<typeof UdpaTypedStructSchema | typeof XdsTypedStructSchema>(
    any,
    schema,
    at,
  );
  if (decoded.faults !== undefined) return decoded;
  const { typeUrl, value } = decoded.message;
  const name = nameOfToday(typeNameOfUrl(typeUrl));
  const today = value === undefined ? undefined : formOfToday(name, value);
  return { ...decoded, message: { typeUrl: `type.googleapis.com/${name}`, value: today } };
}
