/** What `toString` and `write` of a Buffer call; calling them directly saves a fifth. */
interface Latin1Methods {
  latin1Slice(start: number, end: number): string;
  latin1Write(text: string, offset: number, length: number): number;
}

/** Bytes as a byte string. */
export function readLatin1(bytes: Buffer, start: number, end: number): string {
  return (bytes as unknown as Latin1Methods).latin1Slice(start, end);
}

/** A byte string as bytes, which must fit. */
export function writeLatin1(bytes: Buffer, text: string, at: number): void {
  (bytes as unknown as Latin1Methods).latin1Write(text, at, text.length);
}
