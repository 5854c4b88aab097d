import { CircuitBreaker, type CircuitBreakerLimits } from "./circuit-breaker.ts";
import { HttpPool } from "./pool/http-pool.ts";
import type { PoolContext } from "./pool/pool-context.ts";
import type { ActiveStreams } from "./pool/track-request.ts";
import type { UpstreamHost } from "./upstream-host.ts";

/**
 * What a cluster keeps for one priority of requests: limits and connections of its own, so that requests of the
 * default priority cannot use up what the high ones may have.
 */
export class PriorityLane implements ActiveStreams {
  readonly #pools = new Map<UpstreamHost, HttpPool>();
  /** Pools of removed hosts whose requests still run. */
  readonly #draining = new Set<HttpPool>();
  readonly breaker: CircuitBreaker;
  readonly context: PoolContext;

  constructor(limits: CircuitBreakerLimits, context: Omit<PoolContext, "breaker">) {
    this.breaker = new CircuitBreaker(limits);
    this.context = { ...context, breaker: this.breaker };
  }

  poolOf(host: UpstreamHost): HttpPool {
    let pool = this.#pools.get(host);
    if (pool === undefined) {
      const created: HttpPool = new HttpPool(this.context, host, () => this.#draining.delete(created));
      pool = created;
      this.#pools.set(host, pool);
    }
    return pool;
  }

  retire(host: UpstreamHost): void {
    const pool = this.#pools.get(host);
    if (pool === undefined) return;
    this.#pools.delete(host);
    this.#draining.add(pool);
    pool.drain();
  }

  /** Lets what runs finish. */
  drain(): void {
    for (const host of [...this.#pools.keys()]) this.retire(host);
  }

  close(): void {
    this.drain();
    for (const pool of [...this.#draining]) pool.close();
  }

  streamOpened(host: UpstreamHost): void {
    const { stats } = this.context;
    this.breaker.requests++;
    stats.upstream_rq_active++;
    stats.upstream_rq_total++;
    host.activeRequests++;
    host.totals.requests++;
  }

  streamClosed(host: UpstreamHost): void {
    this.breaker.requests--;
    this.context.stats.upstream_rq_active--;
    host.activeRequests--;
  }

  admitRetry(): { done(): void } | null {
    const { breaker } = this;
    if (!breaker.canRetry) {
      this.context.stats.upstream_rq_retry_overflow++;
      return null;
    }
    breaker.retries++;
    let open = true;
    return {
      done: () => {
        if (open) breaker.retries--;
        open = false;
      },
    };
  }
}
