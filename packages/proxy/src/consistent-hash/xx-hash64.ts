/**
 * xxHash64 of a byte string (one character, one byte), as Envoy hashes requests and hosts: a fleet of both data planes
 * then sends one user to one host. Computed in halves of 32 bits, since a ring needs thousands of hashes at once and
 * arithmetic on bigint is a hundred times slower.
 */
export function xxHash64(text: string, seed = 0n): bigint {
  const hash = new Word(Number(seed >> 32n), Number(seed & 0xffff_ffffn));
  const lane = new Word(0, 0);
  const { length } = text;
  let at = 0;
  if (length >= 32) {
    at = hashStripes(text, hash, lane);
  } else {
    hash.add(P5);
  }
  hash.add({ high: 0, low: length });
  for (; at + 8 <= length; at += 8) {
    readLane(text, at, lane);
    scramble(lane);
    hash.xor(lane);
    hash.rotate(27);
    hash.multiply(P1);
    hash.add(P4);
  }
  if (at + 4 <= length) {
    lane.set(0, readHalf(text, at));
    lane.multiply(P1);
    hash.xor(lane);
    hash.rotate(23);
    hash.multiply(P2);
    hash.add(P3);
    at += 4;
  }
  for (; at < length; at++) {
    lane.set(0, text.charCodeAt(at) & 0xff);
    lane.multiply(P5);
    hash.xor(lane);
    hash.rotate(11);
    hash.multiply(P1);
  }
  hash.foldDown(33);
  hash.multiply(P2);
  hash.foldDown(29);
  hash.multiply(P3);
  hash.foldDown(32);
  return (BigInt(hash.high) << 32n) | BigInt(hash.low);
}

interface Halves {
  readonly high: number;
  readonly low: number;
}

const P1: Halves = { high: 0x9e3779b1, low: 0x85ebca87 };
const P2: Halves = { high: 0xc2b2ae3d, low: 0x27d4eb4f };
const P3: Halves = { high: 0x165667b1, low: 0x9e3779f9 };
const P4: Halves = { high: 0x85ebca77, low: 0xc2b2ae63 };
const P5: Halves = { high: 0x27d4eb2f, low: 0x165667c5 };
const MINUS_P1: Halves = { high: 0x61c8864e, low: 0x7a143579 };

/** The part of a long text that is read 32 bytes at a time; leaves its hash in `hash` and gives where it ended. */
function hashStripes(text: string, hash: Word, lane: Word): number {
  const lanes = [P1, P2, null, MINUS_P1].map((prime, i) => {
    const start = new Word(hash.high, hash.low);
    if (prime !== null) start.add(prime);
    if (i === 0) start.add(P2);
    return start;
  });
  let at = 0;
  while (at + 32 <= text.length) {
    for (const state of lanes) {
      readLane(text, at, lane);
      lane.multiply(P2);
      state.add(lane);
      state.rotate(31);
      state.multiply(P1);
      at += 8;
    }
  }
  hash.set(0, 0);
  for (const [i, state] of lanes.entries()) {
    lane.set(state.high, state.low);
    lane.rotate([1, 7, 12, 18][i] ?? 0);
    hash.add(lane);
  }
  for (const state of lanes) {
    scramble(state);
    hash.xor(state);
    hash.multiply(P1);
    hash.add(P4);
  }
  return at;
}

function scramble(word: Word): void {
  word.multiply(P2);
  word.rotate(31);
  word.multiply(P1);
}

function readLane(text: string, at: number, into: Word): void {
  into.set(readHalf(text, at + 4), readHalf(text, at));
}

/** Four bytes, little-endian. */
function readHalf(text: string, at: number): number {
  const upper = (text.charCodeAt(at + 2) & 0xff) | ((text.charCodeAt(at + 3) & 0xff) << 8);
  return ((text.charCodeAt(at) & 0xff) | ((text.charCodeAt(at + 1) & 0xff) << 8) | (upper << 16)) >>> 0;
}

/** 64 bits, unsigned, that change in place. */
class Word {
  high: number;
  low: number;

  constructor(high: number, low: number) {
    this.high = high;
    this.low = low;
  }

  set(high: number, low: number): void {
    this.high = high;
    this.low = low;
  }

  xor({ high, low }: Halves): void {
    this.high = (this.high ^ high) >>> 0;
    this.low = (this.low ^ low) >>> 0;
  }

  add({ high, low }: Halves): void {
    const sum = this.low + low;
    this.low = sum >>> 0;
    this.high = (this.high + high + (sum > 0xffff_ffff ? 1 : 0)) >>> 0;
  }

  multiply({ high, low }: Halves): void {
    const [a0, a1, b0, b1] = [this.low & 0xffff, this.low >>> 16, low & 0xffff, low >>> 16];
    const [lowest, cross, across] = [a0 * b0, a0 * b1, a1 * b0];
    const middle = (lowest >>> 16) + (cross & 0xffff) + (across & 0xffff);
    const carried = a1 * b1 + (cross >>> 16) + (across >>> 16) + (middle >>> 16);
    this.high = (carried + Math.imul(this.high, low) + Math.imul(this.low, high)) >>> 0;
    this.low = ((middle << 16) | (lowest & 0xffff)) >>> 0;
  }

  /** To the left, by 1 to 31 bits. */
  rotate(bits: number): void {
    const { high, low } = this;
    this.high = ((high << bits) | (low >>> (32 - bits))) >>> 0;
    this.low = ((low << bits) | (high >>> (32 - bits))) >>> 0;
  }

  /** Exclusive or with itself shifted right by 1 to 63 bits. */
  foldDown(bits: number): void {
    const { high, low } = this;
    if (bits >= 32) {
      this.low = (low ^ (high >>> (bits - 32))) >>> 0;
      return;
    }
    this.high = (high ^ (high >>> bits)) >>> 0;
    this.low = (low ^ ((low >>> bits) | (high << (32 - bits)))) >>> 0;
  }
}
