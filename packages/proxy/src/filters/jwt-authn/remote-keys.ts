import type { Clock, Timer } from "@mixerless/clock";
import { KeySet, MOST_KEY_SET_CHARS } from "@mixerless/identity/jwt";
import type { KeySource } from "@mixerless/policy/jwt";
import type { ClusterManager } from "../../upstream/cluster.ts";
import { type FetchRequest, type FetchResult, fetchFromCluster } from "../../upstream/cluster-fetch.ts";
import type { JwtAuthnStats } from "./stats.ts";

/** Milliseconds. */
export interface RemoteKeysConfig {
  readonly cluster: string;
  readonly request: Omit<FetchRequest, "maxBytes">;
  readonly cacheDuration: number;
  /** Keys are fetched anew before they expire; null: when a request needs them. */
  readonly refetch: { readonly afterFailure: number } | null;
  readonly retries: number;
  readonly backOff: { readonly base: number; readonly max: number };
}

export interface RemoteKeysDeps {
  readonly clusters: ClusterManager;
  readonly clock: Clock;
  readonly random: () => number;
  readonly stats: Pick<JwtAuthnStats, "jwks_fetch_success" | "jwks_fetch_failed">;
}

/** An issuer that does not answer is not asked again for so long: tokens are refused at once meanwhile. */
const FAILURE_PAUSE = 1000;
/** A token whose key is not known may ask for fresh keys, but not every one of a flood may. */
const REFRESH_PAUSE = 10_000;
/** Before the end of the cache duration, as Envoy. */
const REFETCH_LEAD = 5000;

/** Keys behind a cluster, kept for a while. However many requests wait, one fetch is under way. */
export class RemoteKeys implements KeySource {
  readonly #config: RemoteKeysConfig;
  readonly #deps: RemoteKeysDeps;
  readonly #waiting = new Set<() => void>();
  #keys: KeySet | null = null;
  #expires = 0;
  #lastStart = Number.NEGATIVE_INFINITY;
  #lastFailure = Number.NEGATIVE_INFINITY;
  #retriesLeft = 0;
  #running: { cancel(): void } | null = null;
  #timer: Timer | null = null;
  #closed = false;

  constructor(config: RemoteKeysConfig, deps: RemoteKeysDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  current(): KeySet | null {
    return this.#deps.clock.monotonic() < this.#expires ? this.#keys : null;
  }

  canRefresh(): boolean {
    return this.#deps.clock.monotonic() - this.#lastStart >= REFRESH_PAUSE;
  }

  fetch(done: () => void): { cancel(): void } {
    const paused = this.#deps.clock.monotonic() - this.#lastFailure < FAILURE_PAUSE;
    if (paused && this.#running === null) {
      const timer = this.#deps.clock.after(0, done);
      return { cancel: () => timer.cancel() };
    }
    // A callback of its own: two requests may hand in the same function.
    const waiting = () => done();
    this.#waiting.add(waiting);
    this.#begin();
    return { cancel: () => this.#waiting.delete(waiting) };
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    // Streams that wait still need the answer; it is the last one that is fetched.
    if (this.#waiting.size === 0) this.#running?.cancel();
  }

  #begin(): void {
    if (this.#running !== null) return;
    this.#timer?.cancel();
    this.#lastStart = this.#deps.clock.monotonic();
    this.#retriesLeft = this.#config.retries;
    this.#attempt();
  }

  #attempt(): void {
    const { clusters, clock } = this.#deps;
    const cluster = clusters.get(this.#config.cluster);
    if (cluster === null) {
      // Never calls back before `fetch` returns.
      this.#running = clock.after(0, () => this.#failed());
      return;
    }
    let over = false;
    const request = { ...this.#config.request, maxBytes: MOST_KEY_SET_CHARS };
    const running = fetchFromCluster(cluster, request, clock, (result) => {
      over = true;
      this.#running = clock.after(0, () => this.#take(result));
    });
    if (!over) this.#running = running;
  }

  #take(result: FetchResult): void {
    const keys = result.ok && result.status === 200 ? KeySet.read(result.body.toString("utf8")) : null;
    if (!(keys instanceof KeySet)) {
      this.#failed();
      return;
    }
    const { cacheDuration, refetch } = this.#config;
    this.#deps.stats.jwks_fetch_success.add(1);
    this.#keys = keys;
    // What is fetched again in time need not run out when that fails once.
    this.#expires = refetch === null ? this.#deps.clock.monotonic() + cacheDuration : Number.POSITIVE_INFINITY;
    this.#settle(Math.max(cacheDuration - REFETCH_LEAD, 1000));
  }

  #failed(): void {
    if (this.#retriesLeft > 0) {
      const { base, max } = this.#config.backOff;
      const longest = Math.min(base * 2 ** (this.#config.retries - this.#retriesLeft + 1), max);
      this.#retriesLeft--;
      this.#running = this.#deps.clock.after(this.#deps.random() * longest, () => this.#attempt());
      return;
    }
    this.#deps.stats.jwks_fetch_failed.add(1);
    this.#lastFailure = this.#deps.clock.monotonic();
    this.#settle(this.#config.refetch?.afterFailure ?? 0);
  }

  #settle(next: number): void {
    this.#running = null;
    if (this.#config.refetch !== null && !this.#closed) this.#timer = this.#deps.clock.after(next, () => this.#begin());
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const done of waiting) done();
  }
}
