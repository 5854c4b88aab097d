import type { Any } from "@bufbuild/protobuf/wkt";

const NAME_TAG = (1 << 3) | 2;

/**
 * The name inside an encoded resource: field 1 of each of Envoy's resource types (`name`, of endpoints
 * `cluster_name`). "" for a message that begins otherwise.
 */
export function resourceNameOf({ value }: Any): string {
  // Encoders write fields in the order of their numbers, so the name comes first if there is one.
  if (value[0] !== NAME_TAG) return "";
  let length = 0;
  for (let at = 1, shift = 0; at < value.length && shift <= 21; at++, shift += 7) {
    const byte = value[at] ?? 0;
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      const end = at + 1 + length;
      return end > value.length ? "" : Buffer.from(value.buffer, value.byteOffset + at + 1, length).toString("utf8");
    }
  }
  return "";
}
