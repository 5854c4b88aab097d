/**
 * What this data plane makes of each field of the resources that it compiles here [decision 1]:
 * `implemented`, or `ignored` (accepted, because it tunes without changing the meaning). A field that
 * stands in neither list is refused by name. Messages that are not listed are judged by their compilers:
 * routes, the connection manager, filters.
 */
export interface FieldClasses {
  readonly implemented: readonly string[];
  readonly ignored: readonly string[];
}

export const FIELD_CLASSES: Readonly<Record<string, FieldClasses>> = {
  "envoy.config.listener.v3.Listener": {
    implemented: [
      ...["name", "address", "filter_chains", "default_filter_chain", "bind_to_port", "traffic_direction", "metadata"],
      ...["listener_filters", "per_connection_buffer_limit_bytes", "listener_filters_timeout"],
      ...["continue_on_listener_filters_timeout", "access_log"],
    ],
    ignored: [
      ...["stat_prefix", "drain_type", "tcp_backlog_size"],
      ...["connection_balance_config", "enable_reuse_port", "reuse_port", "max_connections_to_accept_per_socket_event"],
      ...["ignore_global_conn_limit", "bypass_overload_manager", "tcp_fast_open_queue_length", "enable_mptcp"],
    ],
  },
  "envoy.config.listener.v3.FilterChain": {
    implemented: [
      ...["filter_chain_match", "filters", "transport_socket", "name", "metadata"],
      "transport_socket_connect_timeout",
    ],
    ignored: [],
  },
  "envoy.config.listener.v3.FilterChainMatch": {
    implemented: [
      ...["destination_port", "prefix_ranges", "direct_source_prefix_ranges", "source_type", "source_prefix_ranges"],
      ...["source_ports", "server_names", "transport_protocol", "application_protocols", "address_suffix"],
    ],
    ignored: [],
  },
  "envoy.config.cluster.v3.Cluster": {
    implemented: [
      ...["name", "alt_stat_name", "type", "cluster_type", "eds_cluster_config", "connect_timeout", "load_assignment"],
      ...["lb_policy", "least_request_lb_config", "ring_hash_lb_config", "maglev_lb_config", "round_robin_lb_config"],
      ...["circuit_breakers", "outlier_detection", "filters"],
      ...["common_lb_config", "common_http_protocol_options", "max_requests_per_connection", "metadata"],
      "typed_extension_protocol_options",
      ...[
        "dns_refresh_rate",
        "dns_lookup_family",
        "upstream_bind_config",
        "transport_socket",
        "transport_socket_matches",
      ],
      ...["respect_dns_ttl", "dns_failure_refresh_rate", "per_connection_buffer_limit_bytes"],
    ],
    ignored: [
      ...["dns_resolvers"],
      ...["dns_resolution_config", "typed_dns_resolver_config", "use_tcp_for_dns_lookups", "wait_for_warm_on_init"],
      ...["cleanup_interval", "upstream_connection_options", "track_cluster_stats", "track_timeout_budgets"],
      ...["connection_pool_per_downstream_connection", "ignore_health_on_host_removal", "preconnect_policy"],
      ...["close_connections_on_host_health_failure", "http_protocol_options"],
    ],
  },
  "envoy.config.cluster.v3.Cluster.CommonLbConfig": {
    implemented: ["healthy_panic_threshold", "locality_weighted_lb_config"],
    ignored: [
      "zone_aware_lb_config",
      "update_merge_window",
      "close_connections_on_host_set_change",
      "ignore_new_hosts_until_first_hc",
    ],
  },
  "envoy.config.cluster.v3.Cluster.RoundRobinLbConfig": { implemented: ["slow_start_config"], ignored: [] },
  "envoy.config.cluster.v3.Cluster.LeastRequestLbConfig": {
    implemented: ["choice_count", "active_request_bias", "slow_start_config"],
    ignored: [],
  },
  // Which function hashes is nobody's to see but the hosts': one hash still always means one host.
  "envoy.config.cluster.v3.Cluster.RingHashLbConfig": {
    implemented: ["minimum_ring_size", "maximum_ring_size"],
    ignored: ["hash_function"],
  },
  "envoy.config.cluster.v3.Cluster.MaglevLbConfig": { implemented: ["table_size"], ignored: [] },
  "envoy.config.cluster.v3.Cluster.SlowStartConfig": {
    implemented: ["slow_start_window", "aggression", "min_weight_percent"],
    ignored: [],
  },
  "envoy.config.cluster.v3.CircuitBreakers": { implemented: ["thresholds"], ignored: [] },
  "envoy.config.cluster.v3.CircuitBreakers.Thresholds": {
    implemented: ["priority", "max_connections", "max_pending_requests", "max_requests", "max_retries", "retry_budget"],
    ignored: ["track_remaining", "max_connection_pools"],
  },
  "envoy.config.core.v3.HttpProtocolOptions": {
    implemented: ["idle_timeout", "max_requests_per_connection", "max_connection_duration", "max_stream_duration"],
    ignored: ["max_headers_count"],
  },
  // Which protocol is asked for is judged where the cluster is compiled.
  "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
    implemented: ["common_http_protocol_options", "explicit_http_config", "use_downstream_protocol_config"],
    ignored: [],
  },
  "envoy.config.endpoint.v3.ClusterLoadAssignment": {
    implemented: ["cluster_name", "endpoints", "policy"],
    ignored: ["named_endpoints"],
  },
  // Dropping a share of the requests would change what happens to them.
  "envoy.config.endpoint.v3.ClusterLoadAssignment.Policy": {
    implemented: ["overprovisioning_factor"],
    ignored: ["endpoint_stale_after"],
  },
  "envoy.config.endpoint.v3.LocalityLbEndpoints": {
    implemented: ["locality", "lb_endpoints", "load_balancing_weight", "priority"],
    ignored: ["proximity", "metadata"],
  },
  "envoy.config.endpoint.v3.LbEndpoint": {
    implemented: ["endpoint", "endpoint_name", "health_status", "metadata", "load_balancing_weight"],
    ignored: [],
  },
  "envoy.config.endpoint.v3.Endpoint": { implemented: ["address", "hostname"], ignored: ["health_check_config"] },
};
