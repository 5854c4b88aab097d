import { type MetricStore, sanitizeMetricName } from "@mixerless/metrics";

/** What the host counts about itself, under the names that Envoy gives them in Prometheus [proxy-wasm §16]. */
export class HostMetrics {
  readonly #store: MetricStore;

  constructor(store: MetricStore) {
    this.#store = store;
  }

  vmCreated(): void {
    this.#store.counter({ name: "envoy_wasm_envoy_wasm_runtime_v8_created", evictable: false }).series([], []).add(1);
    this.#active(1);
  }

  vmClosed(): void {
    this.#active(-1);
  }

  /** The counters of reloads are there from the start, at 0; the one without an outcome stays there, as in Envoy. */
  pluginCreated(plugin: string): void {
    for (const outcome of ["", "_success", "_failure", "_backoff"]) this.#reloads(plugin, outcome);
  }

  reload(plugin: string, outcome: "success" | "failure" | "backoff"): void {
    this.#reloads(plugin, `_${outcome}`).add(1);
  }

  failed(plugin: string, kind: string): void {
    this.#counter("mixerless_plugin_failures_total", HELP.failures).series(["plugin", "kind"], [plugin, kind]).add(1);
  }

  rolledBack(plugin: string): void {
    this.#counter("mixerless_plugin_rollbacks_total", HELP.rollbacks).series(["plugin"], [plugin]).add(1);
  }

  calls(plugin: string, n: number): void {
    this.#counter("mixerless_plugin_calls_total", HELP.calls).series(["plugin"], [plugin]).add(n);
  }

  limitHits(plugin: string, limit: string, n: number): void {
    const labels = ["plugin", "limit"];
    this.#counter("mixerless_plugin_limit_hits_total", HELP.limitHits).series(labels, [plugin, limit]).add(n);
  }

  streams(plugin: string, outcome: "failed" | "bypassed", n: number): void {
    const labels = ["plugin", "outcome"];
    this.#counter("mixerless_plugin_streams_total", HELP.streams).series(labels, [plugin, outcome]).add(n);
  }

  memory(plugin: string, bytes: number): void {
    const family = this.#store.gauge({ name: "mixerless_plugin_memory_bytes", help: HELP.memory });
    family.series(["plugin"], [plugin]).set(bytes);
  }

  #reloads(plugin: string, outcome: string) {
    const name = sanitizeMetricName(`envoy_wasm_${plugin}_vm_reload${outcome}`);
    return this.#store.counter({ name, evictable: false }).series([], []);
  }

  #active(change: number): void {
    for (const name of ["envoy_wasm_envoy_wasm_runtime_v8_active", "envoy_wasm_wasm_vm_count"]) {
      this.#store.gauge({ name, evictable: false }).series([], []).add(change);
    }
  }

  #counter(name: string, help: string) {
    return this.#store.counter({ name, help, evictable: false });
  }
}

const HELP = {
  failures: "VMs of a plugin that failed, by the reason.",
  rollbacks: "New versions of a plugin that were taken back.",
  calls: "Callbacks of a plugin.",
  limitHits: "Times that a plugin ran into a limit.",
  streams: "Streams that failed or went on without a plugin.",
  memory: "Memory of a plugin's VMs.",
};
