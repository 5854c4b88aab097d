/** As in process. */
export function toInt(x: f64): i32 {
  if (x >= 2147483647) return 2147483647;
  if (x <= -2147483648) return -2147483648;
  return <i32>x;
}

/** As in process. */
export function toBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = <u8>text.charCodeAt(i);
  return bytes;
}

/** As in process. */
export function toText(bytes: Uint8Array, start: i32, end: i32): string {
  const text = changetype<string>(__new((<usize>(end - start)) << 1, idof<string>()));
  for (let i = start; i < end; i++) store<u16>(changetype<usize>(text) + ((<usize>(i - start)) << 1), <u16>bytes[i]);
  return text;
}
