import { xxHash64 } from "../../consistent-hash/xx-hash64.ts";
import type { UpstreamHost } from "../upstream-host.ts";
import { randomHash } from "./hash-context.ts";
import type { Picker, Random, ShareOf } from "./load-balancer.ts";

export interface RingSize {
  readonly minimumSize: number;
  readonly maximumSize: number;
}

/**
 * Consistent hashing: each host owns points on a ring of 2⁶⁴ places in proportion to its weight; a
 * request goes to the owner of the first point at or after its hash, a further pick to that of one of the next
 * points. A request without a hash goes anywhere. Points and shares are Envoy's, so that both data planes send one
 * request to one host.
 */
export function createRingHash(
  hosts: readonly UpstreamHost[],
  random: Random,
  size: RingSize,
  shareOf: ShareOf,
): Picker {
  const ring = placePoints(hosts, size, shareOf).sort((a, b) => (a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : 0));
  return {
    pick: (context, attempt) => {
      const hash = context.hash ?? randomHash(random);
      return ring[(firstAtOrAfter(ring, hash) + attempt) % ring.length]?.host ?? null;
    },
  };
}

interface Point {
  readonly hash: bigint;
  readonly host: UpstreamHost;
}

/** The lightest host gets whole points, and the ring as many as that takes between its two bounds. */
function placePoints(
  hosts: readonly UpstreamHost[],
  { minimumSize, maximumSize }: RingSize,
  shareOf: ShareOf,
): Point[] {
  const lightest = hosts.reduce((min, host) => Math.min(min, shareOf(host)), 1);
  const scale = Math.min(Math.ceil(lightest * minimumSize) / lightest, maximumSize);
  const points: Point[] = [];
  let due = 0;
  for (const host of hosts) {
    due += scale * shareOf(host);
    for (let i = 0; points.length < due; i++) points.push({ hash: xxHash64(`${host.address.text}_${i}`), host });
  }
  return points;
}

function firstAtOrAfter(ring: readonly Point[], hash: bigint): number {
  let low = 0;
  let high = ring.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ring[middle]?.hash ?? 0n) < hash) low = middle + 1;
    else high = middle;
  }
  return low === ring.length ? 0 : low;
}
