import type { UpstreamHost } from "../upstream-host.ts";
import type { Picker, Random } from "./load-balancer.ts";
import type { SlowStart } from "./slow-start.ts";
import { WeightedSchedule } from "./weighted-schedule.ts";

/** Each host in turn, in proportion to its weight. Starts anywhere, so that many proxies do not march in step. */
export function createRoundRobin(
  hosts: readonly UpstreamHost[],
  random: Random,
  slowStart: SlowStart | null = null,
): Picker {
  if (!sameWeights(hosts) || slowStart?.includes(hosts)) {
    const schedule = new WeightedSchedule(hosts, (host) => host.weight * (slowStart?.shareOf(host) ?? 1), random);
    return { pick: () => schedule.next() };
  }
  let next = Math.floor(random() * hosts.length);
  return {
    pick: () => {
      if (next >= hosts.length) next = 0;
      return hosts[next++] ?? null;
    },
  };
}

export function sameWeights(hosts: readonly UpstreamHost[]): boolean {
  return hosts.every((host) => host.weight === hosts[0]?.weight);
}
