import type { UpstreamHost } from "../upstream-host.ts";
import { hash32 } from "./hash32.ts";
import type { Picker, Random, WeightOf } from "./load-balancer.ts";

/**
 * Consistent hashing by Maglev's table: each host has an order of its own in which it would like the places of the
 * table, and in turns each takes the first one that is still free; a host takes part in as many turns as its weight
 * allows. A request goes to the host at the place of its hash. Looked up in one step, and shared out more evenly
 * than a ring; when a host goes, a few places of the others change hands too.
 *
 * `tableSize` must be a prime: only then does each order visit every place.
 */
export function createMaglev(
  hosts: readonly UpstreamHost[],
  random: Random,
  tableSize: number,
  weightOf: WeightOf,
): Picker {
  const table = buildTable(hosts, tableSize, weightOf);
  return {
    pick: (context, attempt) => {
      const hash = context.hash ?? Math.floor(random() * 0x1_0000_0000);
      // A further pick turns most bits over, so that it meets a place far away, as in Envoy.
      const place = (hash ^ -attempt) >>> 0;
      return hosts[table[place % tableSize] ?? -1] ?? null;
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
function buildTable(hosts: readonly UpstreamHost[], size: number, weightOf: WeightOf): Int32Array {
  const table = new Int32Array(size).fill(-1);
  const heaviest = hosts.reduce((max, host) => Math.max(max, weightOf(host)), 0);
  const claimants = hosts.map((host, index): Claimant => {
    const key = host.address.text;
    const skip = (hash32(key, 1) % (size - 1)) + 1;
    return { index, weight: weightOf(host), skip, place: hash32(key) % size, due: 0 };
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
