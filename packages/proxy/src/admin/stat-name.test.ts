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
