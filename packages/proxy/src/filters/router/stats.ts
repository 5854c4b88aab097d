import type { Counter, MetricStore } from "@mixerless/metrics";

/** Totals of the routers of one connection manager, by Envoy's names. */
export interface RouterStats {
  readonly noRoute: Counter;
  readonly noCluster: Counter;
  readonly redirects: Counter;
  readonly directResponses: Counter;
  readonly retries: Counter;
  readonly retriesExhausted: Counter;
  readonly timeouts: Counter;
}

const PREFIX = "envoy_http_conn_manager_prefix";

export function createRouterStats(store: MetricStore, statPrefix: string): RouterStats {
  const counter = (name: string) =>
    store.counter({ name: `envoy_http_${name}`, evictable: false }).series([PREFIX], [statPrefix]);
  return {
    noRoute: counter("no_route"),
    noCluster: counter("no_cluster"),
    redirects: counter("rq_redirect"),
    directResponses: counter("rq_direct_response"),
    retries: counter("rq_retry"),
    retriesExhausted: counter("rq_retry_limit_exceeded"),
    timeouts: counter("rq_upstream_timeout"),
  };
}
