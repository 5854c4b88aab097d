import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { withSortedMaps } from "./sorted-maps.ts";

/**
 * The wire form, deterministic: equal messages give equal bytes, however their maps were filled.
 * Throws only on a message that the types forbid, such as a string in a number's place.
 */
export function encodeBytes<Schema extends DescMessage>(
  schema: Schema,
  message: MessageShape<Schema>,
): Uint8Array<ArrayBuffer> {
  return toBinary(schema, withSortedMaps(schema, message));
}
