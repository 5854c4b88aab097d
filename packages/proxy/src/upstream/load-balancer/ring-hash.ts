import type { UpstreamHost } from "../upstream-host.ts";
import type { Picker, Random } from "./load-balancer.ts";

/**
 * Consistent hashing: each host owns points on a ring of 2³² places in proportion to its weight; a
 * request goes to the owner of the first point at or after its hash. A request without a hash goes anywhere.
 */
export function createRingHash(
  hosts: readonly UpstreamHost[],
  random: Random,
  minimumSize: number,
  maximumSize: number,
): Picker {
  const totalWeight = hosts.reduce((sum, host) => sum + host.weight, 0);
  const size = Math.min(Math.max(minimumSize, hosts.length), maximumSize);
  const ring: { point: number; host: UpstreamHost }[] = [];
  for (const host of hosts) {
    const points = Math.max(1, Math.round((host.weight / totalWeight) * size));
    for (let i = 0; i < points; i++) ring.push({ point: hash32(`${host.address.text}_${i}`), host });
  }
  ring.sort((a, b) => a.point - b.point);
  return {
    pick: (context) => {
      const hash = context.hash ?? Math.floor(random() * 0x1_0000_0000);
      return ring[firstAtOrAfter(ring, hash)]?.host ?? null;
    },
  };
}

function firstAtOrAfter(ring: readonly { point: number }[], hash: number): number {
  let low = 0;
  let high = ring.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ring[middle]?.point ?? 0) < hash) low = middle + 1;
    else high = middle;
  }
  return low === ring.length ? 0 : low;
}

/** MurmurHash3, 32 bits, seed 0: spreads short similar strings well, which the ring depends on. */
export function hash32(text: string): number {
  let hash = 0;
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
