/** MurmurHash3, 32 bits: spreads short similar strings well, which consistent hashing depends on. */
export function hash32(text: string, seed = 0): number {
  let hash = seed;
  let block = 0;
  let filled = 0;
  for (let i = 0; i < text.length; i++) {
    block |= (text.charCodeAt(i) & 0xff) << (8 * filled);
    if (++filled < 4) continue;
    hash = Math.imul(rotate(hash ^ scramble(block), 13), 5) + 0xe6546b64;
    block = 0;
    filled = 0;
  }
  if (filled > 0) hash ^= scramble(block);
  hash ^= text.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function scramble(block: number): number {
  return Math.imul(rotate(Math.imul(block, 0xcc9e2d51), 15), 0x1b873593);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
