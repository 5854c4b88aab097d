import type { Counter, MetricStore } from "@mixerless/metrics";

/** Totals of injected faults, by Envoy's names. */
export interface FaultStats {
  readonly delays: Counter;
  readonly aborts: Counter;
}

export function createFaultStats(store: MetricStore, statPrefix: string): FaultStats {
  const counter = (name: string) =>
    store
      .counter({ name: `envoy_http_fault_${name}`, evictable: false })
      .series(["envoy_http_conn_manager_prefix"], [statPrefix]);
  return { delays: counter("delays_injected"), aborts: counter("aborts_injected") };
}
