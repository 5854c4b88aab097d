/**
 * What a row must not exceed, and what is aimed at, by row, peer and metric: of the ratio where there is a peer,
 * else of the figure.
 */
const FLOORS = [
  ["http1-bare", "nginx", "cpu_us_per_request", 1.6, 1.1],
  ["http1-telemetry-log", "nginx", "cpu_us_per_request", nodeMajor() >= 24 ? 1.6 : 1.9, 1.1],
  ["http1-telemetry-log", "envoy", "cpu_us_per_request", 1.5, 1],
  ["http1-telemetry-log", "undici", "cpu_us_per_request", 0.5, 0.25],
  ["telemetry", "self", "cpu_us_per_request", 1.15, 1.03],
  ["exchange", "self", "cpu_us_per_request", 1.25, 1.08],
  ["memory", null, "rss_mb", 90, 60],
  ["memory", null, "rss_mb_per_1000_idle", 6, 1],
  ["scrape", null, "cpu_ms", 400, 100],
  ["scrape", null, "cpu_ms_first", 400, 100],
  ["scrape", null, "longest_stall_ms", 20, 5],
  ["scrape", null, "longest_stall_ms_first", 20, 5],
  ["flood", null, "largest_metric_series", 10_001, 10_001],
  ["flood", null, "rss_mb_growth", 250, 100],
  ["push", "self", "endpoint_cpu_us_per_client", 1, 0.5],
  ["push", "self", "virtualservice_cpu_us_per_client", 1, 0.5],
  ["push", null, "endpoint_all_ms", 1000, 300],
  ["push", null, "virtualservice_all_ms", 1000, 300],
  ["flood", null, "live_mb_growth", 50, 30],
  ["flood", null, "live_mb_second_half", 20, 10],
  ["latency", "nginx", "added_p50_us", 2.2, 1.1],
  ["wasm", null, "added_us_per_stream", 12, 4],
  ["tls-keepalive", "nginx", "cpu_us_per_request", 1.8, 1.3],
  ["tls-handshake", "nginx", "cpu_us_per_connection", 2, 1.5],
  ["mtls-both-hops", "nginx", "cpu_us_per_request", 1.8, 1.3],
  ["wasm", null, "added_us_per_request", 12, 4],
  ["rbac", null, "decision_p50_us", 5, 5],
];

/** `{floor, aim}`, or null where none is set. */
export function floorOf(row, peer, metric) {
  const found = FLOORS.find((one) => one[0] === row && one[1] === peer && one[2] === metric);
  return found === undefined ? null : { floor: found[3], aim: found[4] };
}

function nodeMajor() {
  return Number(process.versions.node.split(".")[0]);
}
