import { readLatin1 } from "../encoding/latin1.ts";

interface Entry<T> {
  readonly pointer: number;
  readonly bytes: Uint8Array;
  readonly value: T;
}

const SLOTS = 512;
const LONGEST = 64;
const TEXTS = 1024;

/**
 * What stands for the names that a module hands over again and again: found by their address, then verified byte by
 * byte, so that no string is made. Bounded, whatever a module comes up with.
 */
export class NameCache<T> {
  readonly #make: (text: string) => T;
  readonly #slots: (Entry<T> | undefined)[] = new Array(SLOTS).fill(undefined);
  #byText = new Map<string, T>();

  constructor(make: (text: string) => T) {
    this.#make = make;
  }

  /** The value for `length` bytes at `pointer`, which lie inside `memory`. */
  get(memory: Buffer, pointer: number, length: number): T {
    const slot = ((pointer >>> 2) ^ (length * 37) ^ (pointer << 5)) & (SLOTS - 1);
    const entry = this.#slots[slot];
    if (entry !== undefined && entry.pointer === pointer && matches(memory, pointer, length, entry.bytes)) {
      return entry.value;
    }
    const text = readLatin1(memory, pointer, pointer + length);
    const value = this.#ofText(text);
    if (length <= LONGEST) this.#slots[slot] = { pointer, bytes: Buffer.from(text, "latin1"), value };
    return value;
  }

  #ofText(text: string): T {
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    const made = this.#make(text);
    if (this.#byText.size >= TEXTS) this.#byText = new Map();
    if (text.length <= LONGEST) this.#byText.set(text, made);
    return made;
  }
}

function matches(memory: Buffer, pointer: number, length: number, bytes: Uint8Array): boolean {
  if (bytes.length !== length) return false;
  for (let i = 0; i < length; i++) if (memory[pointer + i] !== bytes[i]) return false;
  return true;
}
