const MAXIMUM = 2147483647;
const MINIMUM = -2147483648;

/** The only conversion to an integer: cuts the fraction, keeps to the range of 32 bits, NaN becomes 0. */
export function toInt(x: f64): i32 {
  if (x >= MAXIMUM) return MAXIMUM;
  if (x <= MINIMUM) return MINIMUM;
  return x | 0;
}

/** The bytes of a byte string. */
export function toBytes(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

/** The byte string of `bytes[start, end)`. */
export function toText(bytes: Uint8Array, start: i32, end: i32): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
}
