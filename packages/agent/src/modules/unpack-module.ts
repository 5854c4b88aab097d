import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { FetchFault } from "./fetch-fault.ts";

const BLOCK = 512;
/** Entries of an archive that are looked at. */
const ENTRIES = 10_000;
const WASM = Buffer.from([0, 0x61, 0x73, 0x6d]);

export function isWasm(bytes: Buffer): boolean {
  return bytes.subarray(0, 4).equals(WASM);
}

/**
 * The module in `bytes`: itself, or packed by gzip, tar or both. Of an archive it is `plugin.wasm`, else the first
 * regular file. Whatever grows beyond `limit` is given up.
 */
export async function unpackModule(bytes: Buffer, limit: number, from: string): Promise<Buffer> {
  const plain = await inflate(bytes, limit, from);
  if (isWasm(plain)) return plain;
  const found = isTar(plain) ? findInTar(plain) : null;
  if (found !== null && isWasm(found)) return found;
  throw new FetchFault(`${from} holds no Wasm module: ${described(plain, found)}`, false);
}

async function inflate(bytes: Buffer, limit: number, from: string): Promise<Buffer> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: limit });
  } catch (error) {
    const large = (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
    const why = large
      ? `unpacks to more than ${limit} bytes (ISTIO_WASM_MAX_BINARY_SIZE_BYTES)`
      : "is broken gzip data";
    throw new FetchFault(`${from} ${why}`, false);
  }
}

function isTar(bytes: Buffer): boolean {
  return bytes.length >= BLOCK && bytes.toString("latin1", 257, 262) === "ustar";
}

/** Null: there is no regular file. */
function findInTar(bytes: Buffer): Buffer | null {
  let first: Buffer | null = null;
  let at = 0;
  for (let entry = 0; entry < ENTRIES && at + BLOCK <= bytes.length; entry++) {
    const name = text(bytes, at, 100);
    if (name === "") break;
    const size = Number.parseInt(text(bytes, at + 124, 12).trim() || "0", 8);
    if (!Number.isSafeInteger(size) || size < 0 || at + BLOCK + size > bytes.length) break;
    const type = bytes[at + 156];
    if (type === 0x30 || type === 0) {
      const content = bytes.subarray(at + BLOCK, at + BLOCK + size);
      if (name.replace(/^\.?\//, "") === "plugin.wasm") return content;
      first ??= content;
    }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return first;
}

function text(bytes: Buffer, at: number, length: number): string {
  const end = bytes.subarray(at, at + length).indexOf(0);
  return bytes.toString("latin1", at, at + (end < 0 ? length : end));
}

function described(plain: Buffer, found: Buffer | null): string {
  if (plain.length === 0) return "it is empty";
  if (found !== null) return "the file in its archive does not begin with \\0asm";
  if (isTar(plain)) return "its archive has no file plugin.wasm";
  return "it does not begin with \\0asm";
}
