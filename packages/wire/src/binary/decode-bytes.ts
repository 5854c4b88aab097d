import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import type { Decoded } from "../fault.ts";
import { FieldPath } from "../field-path.ts";

/** The message in `bytes`, or why they are not one. Unknown fields are kept. Never throws. Fault paths begin with `at`. */
export function decodeBytes<Schema extends DescMessage>(
  schema: Schema,
  bytes: Uint8Array,
  at: FieldPath = FieldPath.root,
): Decoded<MessageShape<Schema>> {
  try {
    return { message: fromBinary(schema, bytes), warnings: [] };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `${bytes.length} bytes are not a ${schema.typeName}: ${reason}`;
    return { faults: [{ code: "WIRE_MALFORMED_BYTES", path: at.toString(), keys: at.keys(), message }] };
  }
}
