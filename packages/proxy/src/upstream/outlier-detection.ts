import type { Clock, Timer } from "@mixerless/clock";
import type { ClusterStats } from "./cluster-stats.ts";
import type { HostSet } from "./host-set.ts";
import type { Random } from "./load-balancer/load-balancer.ts";
import type { UpstreamHost } from "./upstream-host.ts";

/** Durations in milliseconds, shares in percent; a threshold of 0 switches its detector off. */
export interface OutlierDetectionConfig {
  readonly interval: number;
  readonly baseEjectionTime: number;
  readonly maxEjectionTime: number;
  readonly maxEjectionPercent: number;
  readonly consecutive5xx: number;
  readonly enforcingConsecutive5xx: number;
  readonly consecutiveGatewayFailure: number;
  readonly enforcingConsecutiveGatewayFailure: number;
  readonly splitExternalLocalOriginErrors: boolean;
  readonly consecutiveLocalOriginFailure: number;
  readonly enforcingConsecutiveLocalOriginFailure: number;
}

interface HostState {
  serverErrors: number;
  gatewayFailures: number;
  localFailures: number;
  /** How often in a row this host was ejected: multiplies the next ejection time. */
  ejections: number;
  ejectedAt: number;
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
    // The first host may always go; after that the share counts.
    if (ejected > 0 && (100 * (ejected + 1)) / this.#hosts.size > this.#config.maxEjectionPercent) return;
    const state = this.#stateOf(host);
    state.ejections++;
    state.ejectedAt = this.#clock.monotonic();
    host.ejected = true;
    this.#stats.outlier_detection_ejections_enforced_total++;
    this.#hosts.healthChanged();
  }

  #sweep(): void {
    const now = this.#clock.monotonic();
    for (const host of this.#hosts.hosts) {
      const state = this.#stateOf(host);
      if (!host.ejected) {
        if (state.ejections > 0) state.ejections--;
        continue;
      }
      const time = Math.min(this.#config.baseEjectionTime * state.ejections, this.#config.maxEjectionTime);
      if (now - state.ejectedAt < time) continue;
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
      state = { serverErrors: 0, gatewayFailures: 0, localFailures: 0, ejections: 0, ejectedAt: 0 };
      this.#states.set(host, state);
    }
    return state;
  }
}
