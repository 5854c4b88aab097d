import type { Counter, Gauge, MetricStore } from "@mixerless/metrics";

/** Series of one TCP proxy, by Envoy's names. */
export interface TcpProxyStats {
  readonly connections: Counter;
  readonly connectionsActive: Gauge;
  readonly noRoute: Counter;
  readonly received: Counter;
  readonly sent: Counter;
  readonly idleTimeout: Counter;
}

export function createTcpProxyStats(store: MetricStore, statPrefix: string): TcpProxyStats {
  const names = ["envoy_tcp_prefix"];
  const counter = (name: string) =>
    store.counter({ name: `envoy_tcp_${name}`, evictable: false }).series(names, [statPrefix]);
  return {
    connections: counter("downstream_cx_total"),
    connectionsActive: store
      .gauge({ name: "envoy_tcp_downstream_cx_active", evictable: false })
      .series(names, [statPrefix]),
    noRoute: counter("downstream_cx_no_route"),
    received: counter("downstream_cx_rx_bytes_total"),
    sent: counter("downstream_cx_tx_bytes_total"),
    idleTimeout: counter("idle_timeout"),
  };
}
