import { readLatin1, writeLatin1 } from "../encoding/latin1.ts";
import type { WasmMemory } from "./web-assembly.ts";

const NOTHING = Buffer.alloc(0);
const NO_VIEW = new DataView(new ArrayBuffer(0));

/**
 * The memory of a VM with cached views. Growth detaches them; a detached view has length 0, so the check of the bounds
 * finds that out and costs nothing more [proxy-wasm §3.2]. Pointers and sizes are taken as they come, signed. Strings
 * are byte strings: one char is one byte.
 */
export class GuestMemory {
  readonly #memory: WasmMemory;
  #bytes: Buffer = NOTHING;
  #view: DataView = NO_VIEW;

  constructor(memory: WasmMemory) {
    this.#memory = memory;
    this.#refresh();
  }

  /** Bytes that the memory has now. */
  get size(): number {
    return this.#memory.buffer.byteLength;
  }

  /** True where `length` bytes at `pointer` lie inside; makes the views fresh if need be. */
  holds(pointer: number, length: number): boolean {
    const end = (pointer >>> 0) + (length >>> 0);
    return end <= this.#bytes.length || this.#holdsAfterGrowth(end);
  }

  /** All bytes. Ask {@link holds} first, and don't keep it over a call into the VM. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Null: out of bounds. */
  string(pointer: number, length: number): string | null {
    if (!this.holds(pointer, length)) return null;
    const start = pointer >>> 0;
    return readLatin1(this.#bytes, start, start + (length >>> 0));
  }

  /** A copy; null: out of bounds. */
  copy(pointer: number, length: number): Buffer | null {
    if (!this.holds(pointer, length)) return null;
    const start = pointer >>> 0;
    return Buffer.from(this.#bytes.subarray(start, start + (length >>> 0)));
  }

  readU32(pointer: number): number {
    return this.#view.getUint32(pointer >>> 0, true);
  }

  /** False: out of bounds, as for the other writers. */
  writeU32(pointer: number, value: number): boolean {
    if (!this.holds(pointer, 4)) return false;
    this.#view.setUint32(pointer >>> 0, value, true);
    return true;
  }

  /** A whole number up to 2^64, exact up to 2^53. */
  writeU64(pointer: number, value: number): boolean {
    if (!this.holds(pointer, 8)) return false;
    const high = Math.floor(value / 0x1_0000_0000);
    this.#view.setUint32(pointer >>> 0, value - high * 0x1_0000_0000, true);
    this.#view.setUint32((pointer >>> 0) + 4, high, true);
    return true;
  }

  writeBigU64(pointer: number, value: bigint): boolean {
    if (!this.holds(pointer, 8)) return false;
    this.#view.setBigUint64(pointer >>> 0, value, true);
    return true;
  }

  writeString(pointer: number, text: string): boolean {
    if (!this.holds(pointer, text.length)) return false;
    writeLatin1(this.#bytes, text, pointer >>> 0);
    return true;
  }

  writeBytes(pointer: number, bytes: Uint8Array): boolean {
    if (!this.holds(pointer, bytes.length)) return false;
    this.#bytes.set(bytes, pointer >>> 0);
    return true;
  }

  #holdsAfterGrowth(end: number): boolean {
    this.#refresh();
    return end <= this.#bytes.length;
  }

  #refresh(): void {
    const { buffer } = this.#memory;
    if (this.#bytes.buffer === buffer) return;
    this.#bytes = Buffer.from(buffer);
    this.#view = new DataView(buffer);
  }
}
