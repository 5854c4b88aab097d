import type { JsonObject } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { decodeBytes, typeNameOfUrl } from "@mixerless/wire";
import { TypedStructSchema as UdpaTypedStructSchema } from "@mixerless/wire/udpa/type/v1/typed_struct";
import { TypedStructSchema as XdsTypedStructSchema } from "@mixerless/wire/xds/type/v3/typed_struct";

/** A TypedStruct opened: the type that is meant, and its JSON form. */
export interface OpenedStruct {
  readonly typeName: string;
  readonly value: JsonObject;
}

/** The content of a TypedStruct; null for any other message. */
export function openTypedStruct(any: Any): OpenedStruct | null {
  const type = typeNameOfUrl(any.typeUrl);
  const schema = [UdpaTypedStructSchema, XdsTypedStructSchema].find((one) => one.typeName === type);
  if (schema === undefined) return null;
  const decoded = decodeBytes(schema, any.value);
  if (decoded.faults !== undefined) return null;
  return { typeName: typeNameOfUrl(decoded.message.typeUrl), value: decoded.message.value ?? {} };
}

/** The type of message that an `Any` means: of a TypedStruct the one that it names. */
export function configuredType(any: Any): string {
  return openTypedStruct(any)?.typeName ?? typeNameOfUrl(any.typeUrl);
}
