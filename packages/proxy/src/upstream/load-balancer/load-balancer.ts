import type { LoadBalancerContext } from "../cluster.ts";
import type { UpstreamHost } from "../upstream-host.ts";

/** A policy that picks one of the hosts it was made for. Made anew when the hosts change. */
export interface Picker {
  pick(context: LoadBalancerContext): UpstreamHost | null;
}

/** Uniform in [0, 1). Injected, so that tests and `--seed` decide. */
export type Random = () => number;

export type PickerFactory = (hosts: readonly UpstreamHost[]) => Picker;
