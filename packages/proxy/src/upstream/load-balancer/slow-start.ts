import type { Clock } from "@mixerless/clock";
import type { SlowStartConfig } from "../cluster-config.ts";
import type { UpstreamHost } from "../upstream-host.ts";

/** Lets the share of a new host grow over a while, so that a cold process is not given a full one at once. */
export class SlowStart {
  readonly #config: SlowStartConfig;
  readonly #clock: Clock;

  constructor(config: SlowStartConfig, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
  }

  /** Whether any of them has not got its full share yet. */
  includes(hosts: readonly UpstreamHost[]): boolean {
    const now = this.#clock.monotonic();
    return hosts.some((host) => now - host.added < this.#config.window);
  }

  /** Of what its weight gives the host: above 0, 1 after the window. */
  shareOf(host: UpstreamHost): number {
    const { window, aggression, minimum } = this.#config;
    const age = this.#clock.monotonic() - host.added;
    if (age >= window) return 1;
    // From the first millisecond on, as Envoy does: a share of 0 would be no share for ever.
    return Math.max(minimum, (Math.max(1, age) / window) ** (1 / aggression));
  }
}
