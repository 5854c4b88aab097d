import { create } from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import { TypeUrl } from "../src/resource-types.ts";

export const { cluster: CDS, endpoint: EDS, listener: LDS, route: RDS, secret: SDS, extensionConfig: ECDS } = TypeUrl;

const encoder = new TextEncoder();

/** A message whose field 1 is its name, as with all of Envoy's types, and whose field 15 is some text. */
export function resource(typeUrl: string, name: string, content = ""): Any {
  const bytes = [...field(1, name), ...(content === "" ? [] : field(15, content))];
  return create(AnySchema, { typeUrl, value: Uint8Array.from(bytes) });
}

/** What {@link resource} put into field 15. */
export function contentOf(any: Any | undefined): string {
  if (any === undefined) return "";
  const [, length = 0] = any.value;
  return new TextDecoder().decode(any.value.subarray(2 + length + 2));
}

function field(number: number, text: string): number[] {
  const bytes = encoder.encode(text);
  if (bytes.length > 127) throw new Error("test resources keep to one byte of length");
  return [(number << 3) | 2, bytes.length, ...bytes];
}
