import { createHash } from "node:crypto";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { encodeBytes } from "./encode-bytes.ts";

/** 32 hex digits that are equal for equal messages of one type; of SHA-256. For resource versions and change detection. */
export function contentHash<Schema extends DescMessage>(schema: Schema, message: MessageShape<Schema>): string {
  return bytesHash(encodeBytes(schema, message));
}

/** The same digest over bytes that are at hand already, such as the value of an `Any` from {@link packAny}. */
export function bytesHash(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 32);
}
