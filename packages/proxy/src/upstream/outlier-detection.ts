import type { Clock, Timer } from "@mixerless/clock";
import type { ClusterStats } from "./cluster-stats.ts";
import type { HostSet } from "./host-set.ts";
import type { Random } from "./load-balancer/load-balancer.ts";
import {
  aboveFailurePercentage,
  belowSuccessRate,
  type IntervalCounts,
  type StatisticalDetection,
} from "./outlier-statistics.ts";
import type { UpstreamHost } from "./upstream-host.ts";

/** Durations in milliseconds, shares in percent; a threshold of 0 switches its detector off. */
export interface OutlierDetectionConfig {
  readonly interval: number;
  readonly baseEjectionTime: number;
  readonly maxEjectionTime: number;
  /** Up to this much is added to an ejection by chance, so that hosts do not come back all at once. */
  readonly maxEjectionTimeJitter: number;
  readonly maxEjectionPercent: number;
  /** The first host may go even where it alone is a larger share. */
  readonly alwaysEjectOneHost: boolean;
  readonly consecutive5xx: number;
  readonly enforcingConsecutive5xx: number;
  readonly consecutiveGatewayFailure: number;
  readonly enforcingConsecutiveGatewayFailure: number;
  readonly splitExternalLocalOriginErrors: boolean;
  readonly consecutiveLocalOriginFailure: number;
  readonly enforcingConsecutiveLocalOriginFailure: number;
  readonly successRate: StatisticalDetection;
  readonly failurePercentage: StatisticalDetection;
  /** `enforcing` of the two for local failures, with {@link splitExternalLocalOriginErrors}. */
  readonly enforcingLocalOriginSuccessRate: number;
  readonly enforcingFailurePercentageLocalOrigin: number;
}

interface HostState {
  serverErrors: number;
  gatewayFailures: number;
  localFailures: number;
  /** How often in a row this host was ejected: multiplies the next ejection time. */
  ejections: number;
  ejectedAt: number;
  jitter: number;
  /** Since the last interval: responses, and with the split whether there was a connection at all. */
  external: IntervalCounts;
  local: IntervalCounts;
}

/** Takes hosts that keep failing out of balancing for a while. */
export class OutlierDetector {
  #config: OutlierDetectionConfig;
  readonly #hosts: HostSet;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #stats: ClusterStats;
  readonly #states = new WeakMap<UpstreamHost, HostState>();
  #timer: Timer;

  constructor(config: OutlierDetectionConfig, hosts: HostSet, clock: Clock, random: Random, stats: ClusterStats) {
    this.#config = config;
    this.#hosts = hosts;
    this.#clock = clock;
    this.#random = random;
    this.#stats = stats;
    this.#timer = clock.every(config.interval, () => this.#sweep());
  }

  reconfigure(config: OutlierDetectionConfig): void {
    if (config.interval !== this.#config.interval) {
      this.#timer.cancel();
      this.#timer = this.#clock.every(config.interval, () => this.#sweep());
    }
    this.#config = config;
  }

  /** `status` is the response code, 0 when none came; `localFailure`: no connection could be made or it broke. */
  report(host: UpstreamHost, status: number, localFailure: boolean): void {
    const config = this.#config;
    const state = this.#stateOf(host);
    if (config.splitExternalLocalOriginErrors) count(state.local, !localFailure);
    if (localFailure && config.splitExternalLocalOriginErrors) {
      state.localFailures++;
      this.#check(
        host,
        state.localFailures,
        config.consecutiveLocalOriginFailure,
        config.enforcingConsecutiveLocalOriginFailure,
      );
      return;
    }
    state.localFailures = 0;
    // Without the split a failure to connect counts as a 503.
    const code = localFailure ? 503 : status;
    count(state.external, code < 500);
    if (code < 500) {
      state.serverErrors = 0;
      state.gatewayFailures = 0;
      return;
    }
    state.serverErrors++;
    state.gatewayFailures = code >= 502 && code <= 504 ? state.gatewayFailures + 1 : 0;
    this.#check(
      host,
      state.gatewayFailures,
      config.consecutiveGatewayFailure,
      config.enforcingConsecutiveGatewayFailure,
    );
    this.#check(host, state.serverErrors, config.consecutive5xx, config.enforcingConsecutive5xx);
  }

  close(): void {
    this.#timer.cancel();
    for (const host of this.#hosts.hosts) host.ejected = false;
    this.#hosts.healthChanged();
  }

  #check(host: UpstreamHost, failures: number, threshold: number, enforcing: number): void {
    if (threshold === 0 || failures < threshold || host.ejected) return;
    if (enforcing < 100 && this.#random() * 100 >= enforcing) return;
    this.#eject(host);
  }

  #eject(host: UpstreamHost): void {
    let ejected = 0;
    for (const other of this.#hosts.hosts) if (other.ejected) ejected++;
    const tooMany = (100 * (ejected + 1)) / this.#hosts.size > this.#config.maxEjectionPercent;
    if (tooMany && !(ejected === 0 && this.#config.alwaysEjectOneHost)) {
      this.#stats.outlier_detection_ejections_overflow++;
      return;
    }
    const state = this.#stateOf(host);
    state.ejections++;
    state.ejectedAt = this.#clock.monotonic();
    state.jitter = this.#random() * this.#config.maxEjectionTimeJitter;
    host.ejected = true;
    this.#stats.outlier_detection_ejections_enforced_total++;
    this.#hosts.healthChanged();
  }

  #sweep(): void {
    this.#takeBack();
    this.#compare();
  }

  /** Ejects the hosts that stand out from the others by the results of the interval. */
  #compare(): void {
    const config = this.#config;
    const external = new Map<UpstreamHost, IntervalCounts>();
    const local = new Map<UpstreamHost, IntervalCounts>();
    for (const host of this.#hosts.hosts) {
      const state = this.#stateOf(host);
      external.set(host, state.external);
      local.set(host, state.local);
      state.external = { successes: 0, failures: 0 };
      state.local = { successes: 0, failures: 0 };
    }
    const { successRate, failurePercentage } = config;
    this.#ejectAll(belowSuccessRate(external, successRate), successRate.enforcing);
    this.#ejectAll(aboveFailurePercentage(external, failurePercentage), failurePercentage.enforcing);
    if (!config.splitExternalLocalOriginErrors) return;
    this.#ejectAll(belowSuccessRate(local, successRate), config.enforcingLocalOriginSuccessRate);
    this.#ejectAll(aboveFailurePercentage(local, failurePercentage), config.enforcingFailurePercentageLocalOrigin);
  }

  #ejectAll(hosts: readonly UpstreamHost[], enforcing: number): void {
    for (const host of hosts) this.#check(host, 1, 1, enforcing);
  }

  #takeBack(): void {
    const now = this.#clock.monotonic();
    for (const host of this.#hosts.hosts) {
      const state = this.#stateOf(host);
      if (!host.ejected) {
        if (state.ejections > 0) state.ejections--;
        continue;
      }
      const time = Math.min(this.#config.baseEjectionTime * state.ejections, this.#config.maxEjectionTime);
      if (now - state.ejectedAt < time + state.jitter) continue;
      host.ejected = false;
      state.serverErrors = 0;
      state.gatewayFailures = 0;
      state.localFailures = 0;
      this.#hosts.healthChanged();
    }
  }

  #stateOf(host: UpstreamHost): HostState {
    let state = this.#states.get(host);
    if (state === undefined) {
      state = {
        serverErrors: 0,
        gatewayFailures: 0,
        localFailures: 0,
        ejections: 0,
        ejectedAt: 0,
        jitter: 0,
        external: { successes: 0, failures: 0 },
        local: { successes: 0, failures: 0 },
      };
      this.#states.set(host, state);
    }
    return state;
  }
}

function count(counts: IntervalCounts, success: boolean): void {
  if (success) counts.successes++;
  else counts.failures++;
}
