/** One field of a message as it came. Varints are numbers up to 2^53; everything else is bytes. */
export interface Field {
  readonly number: number;
  readonly value: number | Buffer;
}

/** The fields of a small protobuf message in their order; null: it can't be parsed. */
export function parseFields(bytes: Buffer): Field[] | null {
  const fields: Field[] = [];
  const cursor = { at: 0 };
  while (cursor.at < bytes.length) {
    const key = varint(bytes, cursor);
    if (key === null || key >>> 3 === 0) return null;
    const value = fieldValue(bytes, cursor, key & 7);
    if (value === null) return null;
    fields.push({ number: Math.floor(key / 8), value });
  }
  return fields;
}

function fieldValue(bytes: Buffer, cursor: { at: number }, wire: number): number | Buffer | null {
  if (wire === 0) return varint(bytes, cursor);
  const size = wire === 1 ? 8 : wire === 5 ? 4 : wire === 2 ? varint(bytes, cursor) : null;
  if (size === null || size > bytes.length - cursor.at) return null;
  cursor.at += size;
  return bytes.subarray(cursor.at - size, cursor.at);
}

function varint(bytes: Buffer, cursor: { at: number }): number | null {
  let value = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    const byte = bytes[cursor.at++];
    if (byte === undefined) return null;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  return null;
}

/** The last bytes field of this number; empty where there is none. */
export function bytesField(fields: readonly Field[], number: number): Buffer {
  const found = fields.findLast((field) => field.number === number && typeof field.value !== "number");
  return found === undefined ? Buffer.alloc(0) : (found.value as Buffer);
}

/** The last varint field of this number; 0 where there is none. */
export function numberField(fields: readonly Field[], number: number): number {
  const found = fields.findLast((field) => field.number === number && typeof field.value === "number");
  return found === undefined ? 0 : (found.value as number);
}

/** A message of varint (number, boolean) and bytes fields; what is empty is left out, as proto3 does. */
export function encodeFields(
  fields: readonly (readonly [number: number, value: number | boolean | Uint8Array])[],
): Buffer {
  const parts: Uint8Array[] = [];
  for (const [number, value] of fields) {
    if (value instanceof Uint8Array) {
      if (value.length > 0) parts.push(encodeVarint(number * 8 + 2), encodeVarint(value.length), value);
    } else if (Number(value) !== 0) parts.push(encodeVarint(number * 8), encodeVarint(Number(value)));
  }
  return Buffer.concat(parts);
}

function encodeVarint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}
