import type { UpstreamHost } from "../upstream-host.ts";
import type { Picker, Random } from "./load-balancer.ts";
import { sameWeights } from "./round-robin.ts";
import type { SlowStart } from "./slow-start.ts";
import { WeightedSchedule } from "./weighted-schedule.ts";

export interface LeastRequestOptions {
  /** Hosts drawn for each request. */
  readonly choices: number;
  readonly activeRequestBias: number;
}

/**
 * The least busy of a few hosts drawn at random; with different weights, a weighted turn in which a
 * host's share shrinks with its requests in flight.
 */
export function createLeastRequest(
  hosts: readonly UpstreamHost[],
  random: Random,
  { choices, activeRequestBias: bias }: LeastRequestOptions,
  slowStart: SlowStart | null = null,
): Picker {
  if (!sameWeights(hosts) || slowStart?.includes(hosts)) {
    const weight = (host: UpstreamHost) =>
      (host.weight * (slowStart?.shareOf(host) ?? 1)) / (host.activeRequests + 1) ** bias;
    const schedule = new WeightedSchedule(hosts, weight, random);
    return { pick: () => schedule.next() };
  }
  if (hosts.length === 1) return { pick: () => hosts[0] ?? null };
  return {
    pick: () => {
      let best: UpstreamHost | null = null;
      for (let i = 0; i < choices; i++) {
        const candidate = hosts[Math.floor(random() * hosts.length)];
        if (candidate === undefined) continue;
        if (best === null || candidate.activeRequests < best.activeRequests) best = candidate;
      }
      return best;
    },
  };
}
