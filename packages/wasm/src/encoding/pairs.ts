import { readLatin1, writeLatin1 } from "./latin1.ts";

/** A name and a value, byte strings. */
export type Pair = readonly [name: string, value: string];

const SIZE_LIMIT = 1024 * 1024;
const COUNT_LIMIT = 1024;

/** Bytes of a serialised list [proxy-wasm §5.1]. */
export function sizeOfPairs(pairs: readonly Pair[]): number {
  let size = 4;
  for (const [name, value] of pairs) size += 10 + name.length + value.length;
  return size;
}

/** Writes the list at `at`, where there is room for {@link sizeOfPairs}. One big write is far faster than many small ones. */
export function writePairs(out: Buffer, at: number, pairs: readonly Pair[]): void {
  let cell = out.writeUInt32LE(pairs.length, at);
  let text = "";
  for (const [name, value] of pairs) {
    cell = out.writeUInt32LE(name.length, cell);
    cell = out.writeUInt32LE(value.length, cell);
    text += `${name}\0${value}\0`;
  }
  writeLatin1(out, text, cell);
}

export function encodePairs(pairs: readonly Pair[]): string {
  const out = Buffer.allocUnsafe(sizeOfPairs(pairs));
  writePairs(out, 0, pairs);
  return readLatin1(out, 0, out.length);
}

/** Reads a list that a module made. Whatever is wrong with it makes it empty, as upstream has it. */
export function parsePairs(bytes: Buffer): Pair[] {
  if (bytes.length < 4 || bytes.length > SIZE_LIMIT) return [];
  const count = bytes.readUInt32LE(0);
  if (count > COUNT_LIMIT || 4 + count * 8 > bytes.length) return [];
  const text = readLatin1(bytes, 0, bytes.length);
  const pairs: Pair[] = [];
  let at = 4 + count * 8;
  for (let i = 0; i < count; i++) {
    const nameEnd = at + bytes.readUInt32LE(4 + i * 8);
    const valueEnd = nameEnd + 1 + bytes.readUInt32LE(8 + i * 8);
    if (valueEnd >= bytes.length || bytes[nameEnd] !== 0 || bytes[valueEnd] !== 0) return [];
    pairs.push([text.substring(at, nameEnd), text.substring(nameEnd + 1, valueEnd)]);
    at = valueEnd + 1;
  }
  return at === bytes.length ? pairs : [];
}
