import type { Timer } from "@mixerless/clock";
import type { HeaderMap } from "../../http/header-map.ts";
import type { RetryPolicy } from "../../http/routing/retry-policy.ts";
import { ResponseFlag } from "../../stream/response-flags.ts";
import type { StreamInfo } from "../../stream/stream-info.ts";
import type { Cluster } from "../../upstream/cluster.ts";
import type { Host } from "../../upstream/host.ts";
import type { RouterConfig } from "./config.ts";
import type { UpstreamFailure } from "./failure.ts";
import { backOff, retriesFailure, retriesResponse } from "./retry-conditions.ts";

const NO_HOSTS: readonly Host[] = [];

/** The retries that one request still has. Made only where a policy applies. */
export class Retries {
  readonly #policy: RetryPolicy;
  readonly #config: RouterConfig;
  readonly #cluster: Cluster;
  #left: number;
  #admission: { done(): void } | null = null;
  #timer: Timer | null = null;
  readonly #highPriority: boolean;
  /** Hosts that failed this request. */
  readonly #tried: Host[] = [];
  /** Endpoint priorities that the next attempt leaves out. */
  readonly triedPriorities = new Set<number>();

  constructor(policy: RetryPolicy, config: RouterConfig, cluster: Cluster, highPriority: boolean) {
    this.#policy = policy;
    this.#highPriority = highPriority;
    this.#config = config;
    this.#cluster = cluster;
    this.#left = policy.retries;
  }

  /** Hosts that the next attempt should not meet again. */
  get avoided(): readonly Host[] {
    return this.#policy.avoidTriedHosts ? this.#tried : NO_HOSTS;
  }

  get hostAttempts(): number {
    return this.#policy.hostAttempts;
  }

  wantsResponse(response: HeaderMap, request: HeaderMap): boolean {
    return retriesResponse(this.#policy, response, request);
  }

  wantsFailure(failure: UpstreamFailure, sent: boolean): boolean {
    return retriesFailure(this.#policy, failure, sent);
  }

  /** Plans the next attempt, which `response` may put off; false where the policy's number or the cluster's limit is used up. */
  plan(info: StreamInfo, failed: Host | null, response: HeaderMap | null, attempt: () => void): boolean {
    const { stats, clock } = this.#config;
    if (this.#left === 0) {
      info.setFlag(ResponseFlag.UpstreamRetryLimitExceeded);
      stats.retriesExhausted.add(1);
      return false;
    }
    this.#admission?.done();
    this.#admission = this.#cluster.admitRetry(this.#highPriority);
    if (this.#admission === null) {
      info.setFlag(ResponseFlag.UpstreamOverflow);
      return false;
    }
    this.#left--;
    if (failed !== null) this.#note(failed);
    stats.retries.add(1);
    // A timer of its own: the ticks of the wheel are longer than most back-offs.
    this.#timer = clock.after(this.#wait(info.attemptCount, response), attempt);
    return true;
  }

  #wait(retry: number, response: HeaderMap | null): number {
    const { clock, random } = this.#config;
    const asked = response === null ? null : (this.#policy.resetHeaders?.interval(response, clock.now()) ?? null);
    // Up to half of it more by chance: those who were sent away together must not come back together.
    return asked === null ? backOff(this.#policy, retry, random()) : asked * (1 + random() / 2);
  }

  #note(failed: Host): void {
    this.#tried.push(failed);
    const frequency = this.#policy.priorityUpdateFrequency;
    if (frequency === 0 || this.#tried.length % frequency !== 0) return;
    for (const host of this.#tried) this.triedPriorities.add(host.priority);
  }

  close(): void {
    this.#timer?.cancel();
    this.#admission?.done();
    this.#admission = null;
  }
}
