// Bytes between the host and the module. A host call allocates at most once and its value is copied out at once, so one
// static block takes all incoming values; a second carries outgoing text. Larger values get a heap block.

const BLOCK: i32 = 8192;
const incoming: usize = memory.data(8192, 16);
const outgoing: usize = memory.data(8192, 16);

/** Where host calls write the address and the size of a value, and other results. */
export const DATA_CELL: usize = memory.data(32, 16);
export const SIZE_CELL: usize = DATA_CELL + 4;
export const RESULT_CELL: usize = DATA_CELL + 8;

/** The host's allocator. */
export function allocate(size: i32): usize {
  return size <= BLOCK ? incoming : heap.alloc(size);
}

/** Address of the value of the last host call. */
export function data(): usize {
  return <usize>load<u32>(DATA_CELL);
}

/** Size of the value of the last host call. */
export function size(): i32 {
  return load<i32>(SIZE_CELL);
}

/** Gives back the block of the last value. */
export function release(): void {
  const at = data();
  if (at !== 0 && at !== incoming) heap.free(at);
}

/** The value of the last host call as a byte string. */
export function takeText(): string {
  const text = textAt(data(), size());
  release();
  return text;
}

/** The byte string of `count` bytes. */
export function textAt(at: usize, count: i32): string {
  const text = changetype<string>(__new((<usize>count) << 1, idof<string>()));
  const to = changetype<usize>(text);
  for (let i: usize = 0; i < <usize>count; i++) store<u16>(to + (i << 1), <u16>load<u8>(at + i));
  return text;
}

/** The bytes of a byte string, at an address that is good until the next call. */
export function put(text: string): usize {
  const at = text.length <= BLOCK ? outgoing : heap.alloc(text.length);
  write(text, at);
  return at;
}

/** Gives back what {@link put} gave. */
export function drop(at: usize): void {
  if (at !== outgoing) heap.free(at);
}

/** The bytes of a byte string at an address that stays good for ever. */
export function keep(text: string): usize {
  const at = heap.alloc(<usize>max(text.length, 1));
  write(text, at);
  return at;
}

/** The bytes of a byte string to where there is room for them. */
export function write(text: string, at: usize): void {
  const from = changetype<usize>(text);
  const count = <usize>text.length;
  for (let i: usize = 0; i < count; i++) store<u8>(at + i, load<u8>(from + (i << 1)));
}
