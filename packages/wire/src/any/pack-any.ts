import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { encodeBytes } from "../binary/encode-bytes.ts";
import { typeUrlOf } from "../type-registry.ts";

/** A message in an `Any`, with deterministic bytes. `typeUrl` only to keep another prefix than type.googleapis.com. */
export function packAny<Schema extends DescMessage>(
  schema: Schema,
  message: MessageShape<Schema>,
  typeUrl: string = typeUrlOf(schema),
): Any {
  return { $typeName: "google.protobuf.Any", typeUrl, value: encodeBytes(schema, message) };
}
