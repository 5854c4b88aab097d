import type { Counter, Gauge, MetricStore } from "@mixerless/metrics";

/** Series of one connection manager, under the names and labels that Envoy's have in Prometheus form. */
export interface HttpConnectionManagerStats {
  readonly connections: Counter;
  readonly connectionsActive: Gauge;
  readonly requests: Counter;
  readonly requestsActive: Gauge;
  readonly completed: Counter;
  /** By class of the status; index 0 is 1xx. */
  readonly byClass: readonly Counter[];
  readonly received: Counter;
  readonly sent: Counter;
  readonly resetByClient: Counter;
  readonly resetByProxy: Counter;
  readonly idleTimeout: Counter;
  readonly requestTimeout: Counter;
  readonly durationReached: Counter;
  readonly drainClose: Counter;
  readonly protocolErrors: Counter;
  readonly http1Connections: Counter;
  readonly http1ConnectionsActive: Gauge;
  readonly http1Requests: Counter;
  readonly connectionsDestroyed: Counter;
  readonly connectionIdleTimeout: Counter;
  readonly maxRequestsReached: Counter;
  readonly maxDurationReached: Counter;
  readonly upgrades: Counter;
  readonly upgradesActive: Gauge;
  readonly upgradeRefused: Counter;
  readonly headerTimeout: Counter;
  readonly answeredEarly: Counter;
  readonly nonRelativePath: Counter;
  readonly pathRefused: Counter;
  readonly pathRedirected: Counter;
}

const PREFIX = "envoy_http_conn_manager_prefix";

export function createHttpConnectionManagerStats(store: MetricStore, statPrefix: string): HttpConnectionManagerStats {
  const counter = (name: string) =>
    store.counter({ name: `envoy_http_${name}`, evictable: false }).series([PREFIX], [statPrefix]);
  const gauge = (name: string) =>
    store.gauge({ name: `envoy_http_${name}`, evictable: false }).series([PREFIX], [statPrefix]);
  const classes = store.counter({ name: "envoy_http_downstream_rq_xx", evictable: false });
  return {
    connections: counter("downstream_cx_total"),
    connectionsActive: gauge("downstream_cx_active"),
    requests: counter("downstream_rq_total"),
    requestsActive: gauge("downstream_rq_active"),
    completed: counter("downstream_rq_completed"),
    byClass: ["1", "2", "3", "4", "5"].map((code) =>
      classes.series(["envoy_response_code_class", PREFIX], [code, statPrefix]),
    ),
    received: counter("downstream_cx_rx_bytes_total"),
    sent: counter("downstream_cx_tx_bytes_total"),
    resetByClient: counter("downstream_rq_rx_reset"),
    resetByProxy: counter("downstream_rq_tx_reset"),
    idleTimeout: counter("downstream_rq_idle_timeout"),
    requestTimeout: counter("downstream_rq_timeout"),
    durationReached: counter("downstream_rq_max_duration_reached"),
    drainClose: counter("downstream_cx_drain_close"),
    protocolErrors: counter("downstream_cx_protocol_error"),
    http1Connections: counter("downstream_cx_http1_total"),
    http1ConnectionsActive: gauge("downstream_cx_http1_active"),
    http1Requests: counter("downstream_rq_http1_total"),
    connectionsDestroyed: counter("downstream_cx_destroy"),
    connectionIdleTimeout: counter("downstream_cx_idle_timeout"),
    maxRequestsReached: counter("downstream_cx_max_requests_reached"),
    maxDurationReached: counter("downstream_cx_max_duration_reached"),
    upgrades: counter("downstream_cx_upgrades_total"),
    upgradesActive: gauge("downstream_cx_upgrades_active"),
    upgradeRefused: counter("downstream_rq_ws_on_non_ws_route"),
    headerTimeout: counter("downstream_rq_header_timeout"),
    answeredEarly: counter("downstream_rq_response_before_rq_complete"),
    nonRelativePath: counter("downstream_rq_non_relative_path"),
    pathRefused: counter("downstream_rq_failed_path_normalization"),
    pathRedirected: counter("downstream_rq_redirected_with_normalized_path"),
  };
}
