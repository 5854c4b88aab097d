import type { LimitName } from "./limits.ts";

/** One callback in so many is timed: reading the clock twice costs as much as the call. */
const SAMPLE = 64;

/** What a plugin did, over all its VMs and versions. */
export class PluginUsage {
  calls = 0;
  traps = 0;
  /** Streams that were failed or passed on because of it. */
  failedStreams = 0;
  bypassedStreams = 0;
  readonly #hits = new Map<LimitName, number>();
  #sampled = 0;
  #sampledTime = 0;

  hit(limit: LimitName): void {
    this.#hits.set(limit, (this.#hits.get(limit) ?? 0) + 1);
  }

  hits(limit: LimitName): number {
    return this.#hits.get(limit) ?? 0;
  }

  get limitHits(): ReadonlyMap<LimitName, number> {
    return this.#hits;
  }

  /** Counts a callback; true: time this one. */
  begin(): boolean {
    return this.calls++ % SAMPLE === 0;
  }

  /** `milliseconds` of one that {@link begin} chose. */
  sample(milliseconds: number): void {
    this.#sampled++;
    this.#sampledTime += milliseconds;
  }

  /** Microseconds per callback, from the samples; 0 before there are any. */
  get microsecondsPerCall(): number {
    return this.#sampled === 0 ? 0 : (this.#sampledTime / this.#sampled) * 1000;
  }
}
