import type { Counter, Family, Gauge, MetricStore } from "@mixerless/metrics";

/** What Istio's agent counts about modules, under its names. */
export class ModuleSeries {
  readonly #entries: Gauge;
  readonly #lookups: Family<Counter>;
  readonly #fetches: Family<Counter>;

  constructor(store: MetricStore) {
    const help = {
      entries: "Modules in the cache.",
      lookups: "Requests for remote modules, by whether the cache had them.",
      fetches: "Modules that were to be fetched, by the result.",
    };
    this.#entries = store
      .gauge({ name: "istio_agent_wasm_cache_entries", help: help.entries, evictable: false })
      .series([], []);
    this.#lookups = store.counter({
      name: "istio_agent_wasm_cache_lookup_count",
      help: help.lookups,
      evictable: false,
    });
    this.#fetches = store.counter({
      name: "istio_agent_wasm_remote_fetch_count",
      help: help.fetches,
      evictable: false,
    });
  }

  entries(count: number): void {
    this.#entries.set(count);
  }

  lookedUp(hit: boolean): void {
    this.#lookups.series(["hit"], [String(hit)]).add(1);
  }

  fetched(result: "success" | "fetch_failure" | "checksum_mismatched"): void {
    this.#fetches.series(["result"], [result]).add(1);
  }
}
