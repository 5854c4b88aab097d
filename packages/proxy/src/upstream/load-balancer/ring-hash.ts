import type { UpstreamHost } from "../upstream-host.ts";
import { hash32 } from "./hash32.ts";
import type { Picker, Random, WeightOf } from "./load-balancer.ts";

export interface RingSize {
  readonly minimumSize: number;
  readonly maximumSize: number;
}

/**
 * Consistent hashing: each host owns points on a ring of 2³² places in proportion to its weight; a
 * request goes to the owner of the first point at or after its hash, a further pick to that of one of the next
 * points, as in Envoy. A request without a hash goes anywhere.
 */
export function createRingHash(
  hosts: readonly UpstreamHost[],
  random: Random,
  { minimumSize, maximumSize }: RingSize,
  weightOf: WeightOf,
): Picker {
  const totalWeight = hosts.reduce((sum, host) => sum + weightOf(host), 0);
  const size = Math.min(Math.max(minimumSize, hosts.length), maximumSize);
  const ring: { point: number; host: UpstreamHost }[] = [];
  for (const host of hosts) {
    const points = Math.max(1, Math.round((weightOf(host) / totalWeight) * size));
    for (let i = 0; i < points; i++) ring.push({ point: hash32(`${host.address.text}_${i}`), host });
  }
  ring.sort((a, b) => a.point - b.point);
  return {
    pick: (context, attempt) => {
      const hash = context.hash ?? Math.floor(random() * 0x1_0000_0000);
      return ring[(firstAtOrAfter(ring, hash) + attempt) % ring.length]?.host ?? null;
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
