import { describe, expect, it } from "vitest";
import { statName } from "./stat-name.ts";

describe("the dotted name of a series", () => {
  it.each([
    [
      "envoy_http_downstream_rq_xx",
      { envoy_http_conn_manager_prefix: "in", envoy_response_code_class: "2" },
      "http.in.downstream_rq_2xx",
    ],
    ["envoy_cluster_ssl_handshake", { cluster_name: "outbound|80||a" }, "cluster.outbound|80||a.ssl.handshake"],
    [
      "envoy_listener_ssl_fail_verify_san",
      { envoy_listener_address: "127.0.0.1_80" },
      "listener.127.0.0.1_80.ssl.fail_verify_san",
    ],
    [
      "envoy_listener_server_ssl_socket_factory_downstream_context_secrets_not_ready",
      { envoy_listener_address: "127.0.0.1_80" },
      "listener.127.0.0.1_80.server_ssl_socket_factory.downstream_context_secrets_not_ready",
    ],
    ["envoy_http_rbac_allowed", { envoy_http_conn_manager_prefix: "in" }, "http.in.rbac.allowed"],
    [
      "envoy_http_rbac_shadow_denied",
      { envoy_rbac_http_prefix: "istio_dry_run_allow_", envoy_http_conn_manager_prefix: "in" },
      "http.in.rbac.istio_dry_run_allow_.shadow_denied",
    ],
    ["envoy_http_jwt_authn_jwt_cache_hit", { envoy_http_conn_manager_prefix: "in" }, "http.in.jwt_authn.jwt_cache_hit"],
    ["envoy_allowed", { envoy_rbac_prefix: "tcp", envoy_tcp_prefix: "rbac" }, "tcp.rbac.allowed"],
    [
      "envoy_istio_dry_run_allow__shadow_denied",
      { envoy_rbac_prefix: "tcp", envoy_tcp_prefix: "rbac" },
      "tcp.rbac.istio_dry_run_allow_.shadow_denied",
    ],
    ["envoy_rbac_dry__shadow_denied", { envoy_rbac_prefix: "own" }, "own.rbac.dry_.shadow_denied"],
    ["envoy_tcp_downstream_cx_total", { envoy_tcp_prefix: "out" }, "tcp.out.downstream_cx_total"],
    ["istio_build", { component: "proxy", tag: "1.30.3" }, "istiocustom.istio_build.component.proxy.tag.1.30.3"],
    [
      "mixerless_expired_total",
      { metric: "istio_requests_total" },
      "mixerless_expired_total.metric.istio_requests_total",
    ],
  ])("of %s is Envoy's", (metric, labels, name) => {
    expect(statName(metric, Object.entries(labels))).toBe(name);
  });
});
