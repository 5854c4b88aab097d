import { StreamContext } from "./context";
import { readProperty, readState } from "./host";
import { data, release, size, textAt } from "./memory";
import { Property, StateName } from "./names";

const ABSENT: u32 = 0xffffffff;
const NUMBER: u32 = 0xfffffffe;
const MAXIMUM_VALUES: i32 = 64;

/**
 * As in process. A tuple is bytes: for each value its length (or a mark) and its content, padded to whole words; so a
 * search copies what the host gives, hashes words and compares memory, and makes no string.
 */
export class TupleTable<V> {
  private readonly capacity: i32;
  private block: usize = heap.alloc(1024);
  private room: i32 = 1024;
  private used: i32 = 0;
  private count: i32 = 0;
  private readonly starts: StaticArray<i32> = new StaticArray<i32>(MAXIMUM_VALUES);
  private hash: u32 = 0;
  /** Open addressing: 0 is free, else the index of a record plus one. */
  private slots: StaticArray<i32> = new StaticArray<i32>(64);
  private keys: Array<usize> = [];
  private sizes: Array<i32> = [];
  private hashes: Array<u32> = [];
  private values: Array<V> = [];

  constructor(capacity: i32) {
    this.capacity = capacity;
  }

  get size(): i32 {
    return this.values.length;
  }

  begin(): void {
    this.used = 0;
    this.count = 0;
  }

  addString(_stream: StreamContext, property: Property): boolean {
    return this.addHost(readProperty(property));
  }

  addState(_stream: StreamContext, name: StateName): boolean {
    return this.addHost(readState(name));
  }

  addText(value: string | null): boolean {
    if (value === null) {
      this.mark(ABSENT, 0);
      return false;
    }
    const at = this.mark(value.length, value.length);
    const from = changetype<usize>(value);
    for (let i: usize = 0; i < <usize>value.length; i++) store<u8>(at + i, load<u8>(from + (i << 1)));
    return value.length > 0;
  }

  addNumber(value: f64): void {
    store<f64>(this.mark(NUMBER, 8), value);
  }

  back(count: i32): void {
    this.count -= count;
    this.used = this.starts[this.count];
  }

  find(): V | null {
    this.hash = hashWords(this.block, this.used);
    const mask = this.slots.length - 1;
    for (let at = <i32>this.hash & mask; this.slots[at] !== 0; at = (at + 1) & mask) {
      const index = this.slots[at] - 1;
      if (this.hashes[index] !== this.hash || this.sizes[index] !== this.used) continue;
      if (memory.compare(this.keys[index], this.block, this.used) === 0) return this.values[index];
    }
    return null;
  }

  text(index: i32): string | null {
    const at = this.block + this.starts[index];
    const length = load<u32>(at);
    return length === ABSENT || length === NUMBER ? null : textAt(at + 4, length);
  }

  put(value: V): void {
    if (this.values.length >= this.capacity) this.clear();
    if ((this.values.length + 1) * 2 > this.slots.length) this.grow();
    const key = heap.alloc(this.used);
    memory.copy(key, this.block, this.used);
    this.keys.push(key);
    this.sizes.push(this.used);
    this.hashes.push(this.hash);
    this.values.push(value);
    this.insert(this.values.length - 1);
  }

  clear(): void {
    for (let i = 0; i < this.keys.length; i++) heap.free(this.keys[i]);
    this.keys = [];
    this.sizes = [];
    this.hashes = [];
    this.values = [];
    this.slots = new StaticArray<i32>(64);
  }

  private addHost(present: boolean): boolean {
    if (!present) {
      this.mark(ABSENT, 0);
      return false;
    }
    const length = size();
    memory.copy(this.mark(length, length), data(), length);
    release();
    return length > 0;
  }

  /** Begins a value: writes its length or mark and makes room. The last word of the content is zero for the padding. */
  private mark(mark: u32, length: i32): usize {
    const words = (length + 3) & ~3;
    const end = this.used + 4 + words;
    if (end > this.room) this.enlarge(end);
    const at = this.block + this.used;
    this.starts[this.count++] = this.used;
    store<u32>(at, mark);
    if (words > 0) store<u32>(at + words, 0);
    this.used = end;
    return at + 4;
  }

  private enlarge(least: i32): void {
    while (this.room < least) this.room <<= 1;
    this.block = heap.realloc(this.block, this.room);
  }

  private grow(): void {
    this.slots = new StaticArray<i32>(this.slots.length << 1);
    for (let i = 0; i < this.values.length; i++) this.insert(i);
  }

  private insert(index: i32): void {
    const mask = this.slots.length - 1;
    let at = <i32>this.hashes[index] & mask;
    while (this.slots[at] !== 0) at = (at + 1) & mask;
    this.slots[at] = index + 1;
  }
}

function hashWords(at: usize, length: i32): u32 {
  let hash: u32 = 0x811c9dc5;
  for (let i = 0; i < length; i += 4) {
    hash = (hash ^ load<u32>(at + i)) * 0x9e3779b1;
    hash ^= hash >>> 15;
  }
  return hash;
}
