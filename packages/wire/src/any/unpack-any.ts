import type { DescMessage, Message, MessageShape } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { decodeBytes } from "../binary/decode-bytes.ts";
import type { Decoded, Fault, FaultCode } from "../fault.ts";
import { FieldPath } from "../field-path.ts";
import { typeNameOfUrl, typeRegistry, typeUrlOf } from "../type-registry.ts";
import { unknownTypeMessage } from "./unknown-type.ts";

/** A message with its type, or why there is none. Test `faults` for undefined. */
export type Unpacked =
  | { readonly schema: DescMessage; readonly message: Message; readonly faults?: undefined }
  | { readonly schema?: undefined; readonly message?: undefined; readonly faults: readonly Fault[] };

/** The message in an `Any`, of whatever type it is. A TypedStruct comes out as itself. Fault paths begin with `at`. */
export function unpackAny(any: Any, at: FieldPath = FieldPath.root): Unpacked {
  const schema = typeRegistry.getMessage(typeNameOfUrl(any.typeUrl));
  if (schema === undefined) return { faults: [faultAt(at, "WIRE_UNKNOWN_TYPE", unknownTypeMessage(any.typeUrl))] };
  const decoded = decodeBytes(schema, any.value, at);
  return decoded.faults === undefined ? { schema, message: decoded.message } : { faults: decoded.faults };
}

/** The message in an `Any` that has to be of one type. */
export function unpackAnyAs<Schema extends DescMessage>(
  any: Any,
  schema: Schema,
  at: FieldPath = FieldPath.root,
): Decoded<MessageShape<Schema>> {
  if (typeNameOfUrl(any.typeUrl) === schema.typeName) return decodeBytes(schema, any.value, at);
  return { faults: [typeMismatch(schema, any.typeUrl, at)] };
}

/** The fault of another type than the wanted one. */
export function typeMismatch(schema: DescMessage, typeUrl: string, at: FieldPath): Fault {
  const got = typeUrl === "" ? "nothing" : typeUrl;
  return faultAt(at, "WIRE_TYPE_MISMATCH", `expected ${typeUrlOf(schema)}, got ${got}`);
}

function faultAt(at: FieldPath, code: FaultCode, message: string): Fault {
  return { code, path: at.toString(), keys: at.keys(), message };
}
