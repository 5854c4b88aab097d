import type { UpstreamHost } from "../upstream-host.ts";
import type { ShareOf } from "./load-balancer.ts";

/** Hosts that share one weight among them. */
export interface WeightedGroup {
  readonly members: readonly UpstreamHost[];
  readonly weight: number;
}

/**
 * What each host gets of a whole of 1: its part of its group's weight. Rounded as Envoy rounds, on which the size of a
 * ring and the order of turns depend.
 */
export function sharesOf(groups: readonly WeightedGroup[]): ShareOf {
  const whole = groups.reduce((sum, { weight }) => sum + weight, 0);
  const shares = new Map<UpstreamHost, number>();
  for (const { members, weight } of groups) {
    const total = members.reduce((sum, host) => sum + host.weight, 0);
    for (const host of members) shares.set(host, (host.weight * (weight / whole)) / total);
  }
  return (host) => shares.get(host) ?? 0;
}
