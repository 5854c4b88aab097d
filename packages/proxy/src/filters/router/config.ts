import type { Clock, DeadlineWheel } from "@mixerless/clock";
import type { ClusterManager } from "../../upstream/cluster.ts";
import type { RouterStats } from "./stats.ts";

/** What every router of one filter chain shares. */
export interface RouterConfig {
  readonly clock: Clock;
  readonly wheel: DeadlineWheel;
  readonly clusters: ClusterManager;
  readonly random: () => number;
  readonly stats: RouterStats;
  /** Leaves out the `x-envoy-…` headers that tell about the proxy itself. */
  readonly suppressEnvoyHeaders: boolean;
}
