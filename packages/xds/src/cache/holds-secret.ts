import type { Any } from "@bufbuild/protobuf/wkt";
import { TypeUrl } from "../resource-types.ts";

/** What a private key in PEM and a registry's credentials look like inside an encoded resource. */
const MARKS = ["PRIVATE KEY-----", "ISTIO_META_WASM_IMAGE_PULL_SECRET"].map((text) => Buffer.from(text));

/**
 * True for what never goes to disk [decision 9]: every secret, whom to trust, which must not come back from before a
 * rotation, and any other resource with a private key or pull credentials written into it.
 */
export function holdsSecret({ typeUrl, value }: Any): boolean {
  if (typeUrl === TypeUrl.secret || typeUrl === TypeUrl.proxyConfig) return true;
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return MARKS.some((mark) => bytes.includes(mark));
}
