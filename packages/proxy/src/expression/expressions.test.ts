import { VirtualClock } from "@mixerless/clock";
import { Abnormal } from "@mixerless/expression";
import { MetricStore } from "@mixerless/metrics";
import { describe, expect, it } from "vitest";
import type { AttributeSource } from "../extension-host/attributes/attribute.ts";
import { fakeHost } from "../http/testing/fake-cluster.ts";
import { fakeConnectionInfo } from "../http/testing/fake-connection.ts";
import { headersOf } from "../http/testing/fake-server-codec.ts";
import { StreamInfo } from "../stream/stream-info.ts";
import type { Cluster } from "../upstream/cluster.ts";
import { Expressions } from "./expressions.ts";
import { printed } from "./values.ts";

const bytes = (text: string) => Buffer.from(text, "utf8").toString("latin1");
const listener = { name: "l", direction: 1, filterChainName: "chain", metadata: { m: { k: "v" } } };

/** What an extension may leave: one text field and labels, as `workload;label=value;…`. */
const peer = (state: string) => {
  const [workload = "", ...labels] = state.split(";");
  if (workload === "") return null;
  const pairs = new Map(labels.map((label) => label.split("=") as [string, string]));
  return {
    field: (name: string) => (name === "workload" || name === "workload_name" ? workload : null),
    label: (name: string) => pairs.get(name) ?? "",
    labelNames: () => [...pairs.keys()],
  };
};

function stream(): AttributeSource {
  const info = new StreamInfo(listener, fakeConnectionInfo(), Date.UTC(2026, 10, 28, 1, 2, 3, 4), 0);
  info.protocol = "HTTP/1.1";
  info.requestHeaders = headersOf({ ":method": "GET", ":path": "/a?q=1", "x-a": bytes("ü"), "x-raw": "\xff" });
  info.responseHeaders = headersOf({ ":status": "200" });
  info.responseCode = 200;
  info.ended = 5;
  info.cluster = {
    name: "outbound|80||a",
    metadata: { istio: { services: [{ host: "a.default", weight: 3, nullish: null }] } },
  } as unknown as Cluster;
  info.upstreamHost = fakeHost("10.0.0.1");
  info.attemptCount = 2;
  info.dynamicMetadata = { "envoy.filters.http.jwt_authn": { claims: { iss: "ü", groups: ["a", "b"] } } };
  info.filterState.set("upstream_peer", bytes("rätings;app=b"));
  info.filterState.set("wasm.istio_responseClass", "2xx");
  info.filterState.set("plain", { a: [1, "x"] });
  const scope = { node: { id: "n", metadata: { NAME: "ö", N: 7 } }, pluginName: "istio.stats", messageSizes: false };
  return { info, listener, scope };
}

const metrics = new MetricStore({ clock: new VirtualClock() });
const expressions = new Expressions(metrics, { upstream_peer: peer });

function evaluate(text: string, source = stream()): unknown {
  const { evaluate: run, problem } = expressions.compile(text, "test");
  if (run === undefined) throw new Error(problem);
  const result = run(source);
  return result instanceof Abnormal ? `failed: ${result.reason}` : printed(result);
}

describe("attributes in expressions", () => {
  it.each([
    ["request.path", "/a?q=1"],
    ["size(request.url_path)", "2"],
    ["request.headers['x-a'] + 'ü'", bytes("üü")],
    ["request.headers_bytes['x-raw'] == b'\\xff'", "true"],
    ["request.headers_bytes['x-raw']", "\xff"],
    ["size(request.headers)", "4"],
    ["request.headers.filter(n, n.startsWith('x-')).size()", "2"],
    ["request.time", "2026-11-28T01:02:03.004Z"],
    ["request.time.getHours('Asia/Shanghai')", "9"],
    ["request.duration", "0.005s"],
    ["request.duration.getMilliseconds()", "5"],
    ["response.code", "200"],
    ["string(response.code / 100) + 'xx'", "2xx"],
    ["response.trailers.size()", "failed: no such attribute here: response.trailers"],
    ["response.grpc_status", "failed: no such attribute here: response.grpc_status"],
    ["has(response.grpc_status)", "false"],
    ["upstream.request_attempt_count", "2"],
    ["type(upstream.request_attempt_count) == uint", "true"],
    ["upstream.request_attempt_count == 2", "true"],
    ["xds.node.metadata['NAME'] + '!'", bytes("ö!")],
    ["node.metadata['N'] == 7.0", "true"],
    ["xds.cluster_metadata.filter_metadata.istio.services[0].host", "a.default"],
    ["xds.cluster_metadata.filter_metadata.istio.services.map(s, s.host)[0]", "a.default"],
    ["xds.cluster_metadata.filter_metadata.istio.services[0].weight + 1.0", "4"],
    ["xds.cluster_metadata.filter_metadata['istio'].services[1].host", /^failed: no such attribute here/],
    ["has(xds.cluster_metadata.filter_metadata.other)", "false"],
    ["has(xds.cluster_metadata.filter_metadata.other.more)", /^failed/],
    ["metadata.filter_metadata['envoy.filters.http.jwt_authn'].claims.iss", bytes("ü")],
    ["'b' in metadata.filter_metadata['envoy.filters.http.jwt_authn'].claims.groups", "true"],
    ["xds.listener_direction == 1 && xds.listener_metadata.filter_metadata.m.k == 'v'", "true"],
    ["plugin_name", "istio.stats"],
    ["istio_responseClass", "2xx"],
    ["filter_state['wasm.istio_responseClass']", "2xx"],
    ["filter_state.plain.a[1]", "x"],
    ["filter_state.upstream_peer.workload + '-x'", bytes("rätings-x")],
    ["'_' + filter_state['upstream_peer'].labels['app']", "_b"],
    ["upstream_peer.workload_name + upstream_peer.labels['app'].value", bytes("rätingsb")],
    ["has(filter_state.upstream_peer.labels.app)", "true"],
    ["has(filter_state.upstream_peer.labels.other)", "false"],
    ["filter_state.upstream_peer.labels.size()", "1"],
    ["filter_state.upstream_peer.labels.all(k, k == 'app')", "true"],
    ["has(filter_state.upstream_peer)", "true"],
    ["has(filter_state.downstream_peer)", "false"],
    ["filter_state.upstream_peer.nonsense", /^failed/],
    ["downstream_peer.workload_name", /^failed/],
    ["connection.id == connection_id", "true"],
    ["upstream.locality.region + upstream.locality.sub_zone", ""],
    ["upstream.locality.planet", /^failed/],
    ["connection.mtls ? 'mtls' : 'plain'", "plain"],
    ["[1]", null],
  ])("%s", (text, expected) => {
    if (expected instanceof RegExp) expect(evaluate(text)).toMatch(expected);
    else expect(evaluate(text)).toBe(expected);
  });

  it("are absent where there is no stream", () => {
    const root = { ...stream(), info: null };
    expect(evaluate("request.path", root)).toBe("failed: no such attribute here: request.path");
    expect(evaluate("request.headers.size()", root)).toMatch(/^failed/);
    expect(evaluate("xds.node.id", root)).toBe("n");
  });
});

describe("expressions", () => {
  it("whose functions are unknown do not compile; what is wrong otherwise shows per stream", () => {
    expect(expressions.compile("nonsense(request.path)", "test").problem).toBe('1:1: there is no function "nonsense"');
    expect(evaluate("request.path + 1")).toMatch(/^failed: no such overload/);
  });

  it("count each evaluation without a value", () => {
    const own = new MetricStore({ clock: new VirtualClock() });
    const { evaluate: run } = new Expressions(own).compile("response.grpc_status == 0", "stats");
    for (let i = 0; i < 3; i++) run?.(stream());
    const text = own.text();
    expect(text).toContain('mixerless_expression_errors_total{expression="response.grpc_status == 0",use="stats"} 3');
  });
});
