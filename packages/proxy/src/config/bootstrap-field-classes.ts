import type { FieldClasses } from "./field-classes.ts";

const BOOTSTRAP = "envoy.config.bootstrap.v3.";

/** What this data plane makes of the fields around the resources in a bootstrap; see FIELD_CLASSES. */
export const BOOTSTRAP_FIELD_CLASSES: Readonly<Record<string, FieldClasses>> = {
  [`${BOOTSTRAP}Bootstrap`]: {
    implemented: [
      ...["node", "admin", "static_resources", "dynamic_resources", "cluster_manager", "layered_runtime"],
      ...["stats_config", "bootstrap_extensions"],
    ],
    ignored: [
      ...["node_context_params", "deferred_stat_options", "stats_flush_interval", "stats_flush_on_admin"],
      ...["watchdog", "watchdogs", "enable_dispatcher_stats", "stats_server_version_override"],
      ...["use_tcp_for_dns_lookups", "dns_resolution_config", "typed_dns_resolver_config", "default_regex_engine"],
      ...["default_socket_interface", "inline_headers", "grpc_async_client_manager_config"],
      ...["memory_allocator_manager", "perf_tracing_file_path", "flags_path"],
    ],
  },
  [`${BOOTSTRAP}Bootstrap.StaticResources`]: { implemented: ["listeners", "clusters"], ignored: [] },
  [`${BOOTSTRAP}Bootstrap.DynamicResources`]: {
    implemented: ["ads_config", "cds_config", "lds_config"],
    ignored: [],
  },
  [`${BOOTSTRAP}Admin`]: {
    // The logs may only be /dev/null, which decodeBootstrap sees to.
    implemented: ["address", "access_log", "access_log_path"],
    ignored: ["profile_path", "ignore_global_conn_limit", "socket_options"],
  },
  [`${BOOTSTRAP}ClusterManager`]: {
    implemented: ["upstream_bind_config"],
    ignored: ["enable_deferred_cluster_creation"],
  },
  // Labels are never parsed out of names: a tag is asked for by its name alone.
  "envoy.config.metrics.v3.StatsConfig": {
    implemented: ["stats_matcher", "stats_tags"],
    ignored: ["use_all_default_tags"],
  },
  "envoy.config.metrics.v3.TagSpecifier": { implemented: ["tag_name"], ignored: ["regex"] },
  [`${BOOTSTRAP}LayeredRuntime`]: { implemented: ["layers"], ignored: [] },
  // Runtime values other than the defaults written beside their keys would change what those keys decide.
  [`${BOOTSTRAP}RuntimeLayer`]: { implemented: ["name", "admin_layer"], ignored: [] },
  "envoy.config.core.v3.ConfigSource": {
    implemented: ["ads", "initial_fetch_timeout", "resource_api_version"],
    ignored: [],
  },
  "envoy.config.core.v3.ApiConfigSource": {
    implemented: ["api_type", "grpc_services", "transport_api_version", "set_node_on_first_message_only"],
    ignored: ["request_timeout", "rate_limit_settings", "refresh_delay"],
  },
};
