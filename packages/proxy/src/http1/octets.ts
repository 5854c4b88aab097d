/** Bytes that HTTP/1.1 gives a meaning to. */
export const HT = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const COMMA = 0x2c;
export const SLASH = 0x2f;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const EQUALS = 0x3d;

function table(value: (byte: number, char: string) => number): Uint8Array {
  const bytes = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte++) bytes[byte] = value(byte, String.fromCharCode(byte));
  return bytes;
}

/** The byte in lower case where a token may hold it, else 0 (RFC 9110 §5.6.2). */
export const TOKEN = table((_byte, char) =>
  /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(char) ? char.toLowerCase().charCodeAt(0) : 0,
);

/** 1 where a field value may hold the byte: HT, SP, visible, or above ASCII (RFC 9110 §5.5). */
export const FIELD_VALUE = table((byte) => (byte === HT || (byte >= SP && byte !== 0x7f) ? 1 : 0));

/**
 * 1 where a request target may hold the byte. Wider than RFC 3986, as Envoy is, since clients send
 * braces and bars unencoded; but no space, control, byte above ASCII, or fragment.
 */
export const TARGET = table((byte, char) => (byte > SP && byte < 0x7f && char !== "#" ? 1 : 0));

/**
 * 1 where a host may hold the byte: RFC 3986 §3.2.2 without the comma, which could join two hosts, and
 * without user information.
 */
export const HOST = table((_byte, char) => (/[A-Za-z0-9\-._~%!$&'()*+;=:[\]]/.test(char) ? 1 : 0));

/** One more than the value of a hexadecimal digit; 0 for anything else. */
export const HEX = table((_byte, char) => (/[0-9A-Fa-f]/.test(char) ? Number.parseInt(char, 16) + 1 : 0));

/** True when `buffer[start, end)` is `lower`, in any case. */
export function equalsFolded(buffer: Buffer, start: number, end: number, lower: string): boolean {
  if (end - start !== lower.length) return false;
  for (let i = 0; i < lower.length; i++) if (TOKEN[buffer[start + i] as number] !== lower.charCodeAt(i)) return false;
  return true;
}

/** True when `buffer[start, end)` is exactly `text`. */
export function equalsBytes(buffer: Buffer, start: number, end: number, text: string): boolean {
  if (end - start !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (buffer[start + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** Below this, a loop is faster than a view of the range. */
const SHORT = 64;

export function hasLineFeed(buffer: Buffer, start: number, end: number): boolean {
  if (end - start > SHORT) return buffer.subarray(start, end).includes(LF);
  for (let pos = start; pos < end; pos++) if (buffer[pos] === LF) return true;
  return false;
}
