import type { LoadBalancerContext } from "../cluster.ts";
import type { UpstreamHost } from "../upstream-host.ts";

/** A policy that picks one of the hosts it was made for. Made anew when the hosts change. */
export interface Picker {
  /** `attempt` counts further picks for one request: 0, 1, … A policy that hashes must give another host then. */
  pick(context: LoadBalancerContext, attempt: number): UpstreamHost | null;
}

/** Uniform in [0, 1). Injected, so that tests and `--seed` decide. */
export type Random = () => number;

/** What a host gets of a whole of 1. */
export type ShareOf = (host: UpstreamHost) => number;

export interface Policy {
  /**
   * One hash always means one host: so the hash also decides between priorities, and the weights of localities
   * become part of those of their hosts.
   */
  readonly hashes: boolean;
  /** Only policies that hash ask for shares. */
  createPicker(hosts: readonly UpstreamHost[], shareOf: ShareOf): Picker;
}
