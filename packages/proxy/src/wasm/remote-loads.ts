import type { Counter, Gauge, MetricStore } from "@mixerless/metrics";
import type { ModuleAnswer, ModuleSource } from "./module-source.ts";

/** What Envoy counts about modules that are somewhere else, under its names [proxy-wasm §16]. */
export class RemoteLoads {
  readonly #entries: Gauge;
  readonly #hits: Counter;
  readonly #misses: Counter;
  readonly #successes: Counter;
  readonly #failures: Counter;

  constructor(store: MetricStore) {
    const counter = (name: string) =>
      store.counter({ name: `envoy_wasm_remote_load_${name}`, evictable: false }).series([], []);
    this.#entries = store.gauge({ name: "envoy_wasm_remote_load_cache_entries", evictable: false }).series([], []);
    this.#hits = counter("cache_hits");
    this.#misses = counter("cache_misses");
    // A module that could not be had is asked for again, with a pause: nothing is answered from memory of that.
    counter("cache_negative_hits");
    this.#successes = counter("fetch_successes");
    this.#failures = counter("fetch_failures");
  }

  answered(answer: ModuleAnswer, source: ModuleSource): void {
    const { origin = "fetch" } = answer;
    (origin === "cache" ? this.#hits : this.#misses).add(1);
    if (origin === "fetch") ("fault" in answer ? this.#failures : this.#successes).add(1);
    this.#entries.set(source.size ?? 0);
  }
}
