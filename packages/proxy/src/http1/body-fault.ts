import { Fault, type Http1Fault } from "./fault.ts";
import type { FramingFields } from "./framing-fields.ts";

/** What is wrong with the length or the encoding of a body; null when nothing is (RFC 9112 §6). */
export function bodyFault(framing: FramingFields): Http1Fault | null {
  if (framing.transferEncodings === 0 && framing.contentLengths === 0) return null;
  if (framing.transferEncodings > 0 && framing.contentLengths > 0) return Fault.lengthAndEncoding;
  if (framing.transferEncodings > 1) return Fault.duplicateEncoding;
  if (framing.transferEncodings === 1) return framing.chunked ? null : Fault.unsupportedEncoding;
  if (framing.contentLengths > 1) return Fault.duplicateLength;
  return framing.contentLength < 0 ? Fault.invalidLength : null;
}
