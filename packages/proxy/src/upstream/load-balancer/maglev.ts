import { xxHash64 } from "../../consistent-hash/xx-hash64.ts";
import type { UpstreamHost } from "../upstream-host.ts";
import { randomHash } from "./hash-context.ts";
import type { Picker, Random, ShareOf } from "./load-balancer.ts";

/**
 * Consistent hashing by Maglev's table: each host has an order of its own in which it would like the places of the
 * table, and in turns each takes the first one that is still free; a host takes part in as many turns as its weight
 * allows. A request goes to the host at the place of its hash. Looked up in one step, and shared out more evenly
 * than a ring; when a host goes, a few places of the others change hands too. Orders and turns are Envoy's, so that
 * both data planes send one request to one host.
 *
 * `tableSize` must be a prime: only then does each order visit every place.
 */
export function createMaglev(
  hosts: readonly UpstreamHost[],
  random: Random,
  tableSize: number,
  shareOf: ShareOf,
): Picker {
  const table = buildTable(hosts, tableSize, shareOf);
  const size = BigInt(tableSize);
  return {
    pick: (context, attempt) => {
      const hash = context.hash ?? randomHash(random);
      // A further pick turns most bits over, so that it meets a place far away, as in Envoy.
      const place = attempt === 0 ? hash : BigInt.asUintN(64, hash ^ BigInt(-attempt));
      return hosts[table[Number(place % size)] ?? -1] ?? null;
    },
  };
}

interface Claimant {
  readonly index: number;
  readonly weight: number;
  readonly skip: number;
  /** The place that it asks for next. */
  place: number;
  /** The weight times turns from which on it takes part again. */
  due: number;
}

/** The index of the host at each place. */
function buildTable(hosts: readonly UpstreamHost[], size: number, shareOf: ShareOf): Int32Array {
  const table = new Int32Array(size).fill(-1);
  const heaviest = hosts.reduce((max, host) => Math.max(max, shareOf(host)), 0);
  // Sorted, so that the order in which a control plane lists them doesn't matter.
  const order = hosts
    .map((host, index) => ({ host, index }))
    .sort((a, b) => (a.host.address.text < b.host.address.text ? -1 : 1));
  const claimants = order.map(({ host, index }): Claimant => {
    const key = host.address.text;
    const skip = Number(xxHash64(key, 1n) % BigInt(size - 1)) + 1;
    return { index, weight: shareOf(host), skip, place: Number(xxHash64(key) % BigInt(size)), due: 0 };
  });
  let taken = 0;
  for (let turn = 1; ; turn++) {
    for (const claimant of claimants) {
      if (turn * claimant.weight < claimant.due) continue;
      claimant.due += heaviest;
      while (table[claimant.place] !== -1) claimant.place = (claimant.place + claimant.skip) % size;
      table[claimant.place] = claimant.index;
      if (++taken === size) return table;
    }
  }
}
