import { StateName } from "@mixerless/sdk";
import { describe, expect, it } from "vitest";
import { ExportingHost, productpage } from "../testing/exporting-host.ts";

const REQUEST = {
  attributes: {
    request: { method: "GET", url_path: "/ratings", host: "ratings:9080", duration: 12_500_000, total_size: 120 },
    response: { code: 200, flags: 0, total_size: 4000 },
    destination: { port: 9080 },
    xds: {
      cluster_name: "inbound|9080||",
      cluster_metadata: {
        filter_metadata: {
          istio: { services: [{ host: "ratings.default.svc.cluster.local", name: "ratings", namespace: "default" }] },
        },
      },
    },
    connection: {
      uri_san_peer_certificate: "spiffe://cluster.local/ns/default/sa/productpage",
      uri_san_local_certificate: "spiffe://cluster.local/ns/default/sa/ratings",
    },
  },
  requestHeaders: [],
};

const SERVER_LABELS = {
  request_protocol: "http",
  service_authentication_policy: "MUTUAL_TLS",
  mesh_uid: "proj-123",
  destination_service_name: "ratings",
  destination_service_namespace: "default",
  destination_port: "9080",
  source_principal: "spiffe://cluster.local/ns/default/sa/productpage",
  source_workload_name: "productpage-v1",
  source_workload_namespace: "default",
  source_owner: "kubernetes://apis/apps/v1/namespaces/default/deployments/productpage-v1",
  source_canonical_service_name: "productpage-v1",
  source_canonical_service_namespace: "default",
  source_canonical_revision: "version-1",
  destination_principal: "spiffe://cluster.local/ns/default/sa/ratings",
  destination_workload_name: "ratings-v1",
  destination_workload_namespace: "default",
  destination_owner: "kubernetes://apis/apps/v1/namespaces/default/deployments/ratings-v1",
  destination_canonical_service_name: "ratings",
  destination_canonical_service_namespace: "default",
  destination_canonical_revision: "version-1",
  request_operation: "GET",
  response_code: "200",
  api_version: "unknown",
  api_name: "unknown",
};

describe("metrics of requests", () => {
  it("tell a server's requests with the labels of both sides, once a minute", async () => {
    const test = new ExportingHost();
    for (let i = 0; i < 3; i++) test.request(REQUEST, productpage());
    await test.advance(59_999);
    expect(test.cloud.calls.metrics).toBe(0);
    await test.advance(1);
    expect(test.cloud.faults).toEqual([]);
    const [count, ...more] = test.cloud.metric("server/request_count");
    expect(more).toEqual([]);
    expect(count?.labels).toEqual(SERVER_LABELS);
    expect(count?.count).toBe(3);
    expect(count?.series.resource).toMatchObject({
      type: "k8s_container",
      labels: {
        project_id: "test-project",
        location: "us-east4-b",
        cluster_name: "test-cluster",
        namespace_name: "default",
        pod_name: "ratings-v1-84975bc778-pxz2w",
        container_name: "ratings",
      },
    });
    expect([...new Set([...test.cloud.series.values()].map(({ metric }) => metric?.type))].sort()).toEqual([
      "istio.io/service/server/request_bytes",
      "istio.io/service/server/request_count",
      "istio.io/service/server/response_bytes",
      "istio.io/service/server/response_latencies",
    ]);
  });

  it("are distributions over powers of ten bytes and of two milliseconds, from zero", async () => {
    const test = new ExportingHost();
    const sizes = [0, 0.5, 1, 9, 10, 999_999, 1_000_000, 5e9];
    for (const total_size of sizes) {
      const { attributes } = REQUEST;
      test.request({ ...REQUEST, attributes: { ...attributes, request: { ...attributes.request, total_size } } });
    }
    await test.advance(60_000);
    const value = (name: string) => test.cloud.metric(name)[0]?.series.points[0]?.value?.value.value;
    expect(value("server/request_bytes")).toMatchObject({
      count: 8n,
      bucketOptions: { options: { value: { bounds: [0, 1, 10, 100, 1000, 10_000, 100_000, 1_000_000] } } },
      bucketCounts: [0n, 2n, 2n, 1n, 0n, 0n, 0n, 1n, 2n],
    });
    const distribution = value("server/request_bytes") as { mean: number; sumOfSquaredDeviation: number };
    const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
    const deviation = sizes.reduce((sum, size) => sum + (size - mean) ** 2, 0);
    expect(distribution.mean).toBeCloseTo(mean, 3);
    expect(distribution.sumOfSquaredDeviation / deviation).toBeCloseTo(1, 9);
    const latencies = value("server/response_latencies") as { bucketOptions: unknown; bucketCounts: bigint[] };
    const bounds = [0, ...Array.from({ length: 20 }, (_, exponent) => 2 ** exponent)];
    expect(latencies.bucketOptions).toMatchObject({ options: { value: { bounds } } });
    // 12.5 ms lie between 8 and 16.
    expect(latencies.bucketCounts.indexOf(8n)).toBe(bounds.indexOf(16));
  });

  it("of a client are of the pod and of its round trips, with the service's port", async () => {
    const test = new ExportingHost({ outbound: true });
    const { connection, xds, request, response } = REQUEST.attributes;
    test.request(
      { ...REQUEST, attributes: { request, response, xds, upstream: { ...connection, port: 9081 } } },
      productpage(),
      true,
    );
    await test.advance(60_000);
    expect(test.cloud.faults).toEqual([]);
    const [count] = test.cloud.metric("client/request_count");
    expect(count?.series.resource?.type).toBe("k8s_pod");
    expect(count?.labels).toMatchObject({
      ...{ service_authentication_policy: "unknown", destination_port: "9081" },
      ...{ source_workload_name: "ratings-v1", destination_workload_name: "productpage-v1" },
      destination_principal: "spiffe://cluster.local/ns/default/sa/productpage",
    });
    expect(test.cloud.metric("client/roundtrip_latencies")).toHaveLength(1);
  });

  it("of an unknown peer say unknown, and latest of its revision", async () => {
    const test = new ExportingHost();
    test.request({ attributes: { response: { code: 503 } } });
    await test.advance(60_000);
    const [count] = test.cloud.metric("server/request_count");
    expect(count?.labels).toMatchObject({
      ...{ source_workload_name: "unknown", source_owner: "unknown", source_canonical_revision: "latest" },
      ...{ destination_port: "unknown", request_operation: "unknown", service_authentication_policy: "NONE" },
    });
  });

  it("of gRPC have the method's path and the HTTP code of the status", async () => {
    const test = new ExportingHost();
    const codes = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401];
    for (const [grpc_status] of codes.entries()) {
      test.request({
        attributes: { request: { url_path: "/pkg.Service/Method" }, response: { code: 200, grpc_status } },
        requestHeaders: [["content-type", "application/grpc"]],
      });
    }
    await test.advance(60_000);
    const seen = test.cloud
      .metric("server/request_count")
      .flatMap(({ labels, count }) => Array(count).fill(labels.response_code));
    expect(seen.sort()).toEqual(codes.map(String).sort());
    expect(test.cloud.metric("server/request_count")[0]?.labels).toMatchObject({
      ...{ request_protocol: "grpc", request_operation: "/pkg.Service/Method" },
    });
  });

  it("go on from their totals when exports fail, and lose nothing", async () => {
    const test = new ExportingHost({ configuration: { disable_server_access_logging: true } });
    test.cloud.failWith = 14;
    for (let i = 0; i < 5; i++) test.request(REQUEST, productpage());
    await test.advance(60_000);
    test.request(REQUEST, productpage());
    test.cloud.failWith = 0;
    await test.advance(9999);
    expect(test.cloud.series.size).toBe(0);
    await test.advance(1);
    expect(test.cloud.metric("server/request_count")[0]?.count).toBe(6);
    expect(test.counts("time_series")).toEqual({ exported: 4, failed: 4, dropped: 0 });
    expect(test.host.logs).toEqual([
      "3: stackdriver: metrics can't be exported now: the endpoint says 14: as the test asked for",
    ]);
  });

  it("of several filters with the same labels are one series", async () => {
    const test = new ExportingHost();
    const other = test.stackdriver.createRoot(test.host.roots[0] as never);
    expect(other.onConfigure("")).toBe(true);
    test.request(REQUEST, productpage());
    const { stream } = test.host.open(REQUEST);
    stream.setState(new StateName("downstream_peer"), productpage());
    const context = other.createStream(stream);
    stream.during(context, [], true, () => context.onLog());
    await test.advance(60_000);
    expect(test.cloud.faults).toEqual([]);
    expect(test.cloud.metric("server/request_count").map(({ count }) => count)).toEqual([2]);
  });

  it("expire when nothing changes them, and begin anew afterwards", async () => {
    const test = new ExportingHost({ configuration: { metric_expiry_duration: "90s" } });
    test.request(REQUEST, productpage());
    await test.advance(60_000);
    await test.advance(60_000);
    const before = test.cloud.calls.metrics;
    test.cloud.series.clear();
    await test.advance(60_000);
    expect(test.cloud.calls.metrics).toBe(before);
    test.request(REQUEST, productpage());
    await test.advance(60_000);
    expect(test.cloud.faults).toEqual([]);
    expect(test.cloud.metric("server/request_count").map(({ count }) => count)).toEqual([1]);
  });

  it("exceed no request's limit of 200 series", async () => {
    const test = new ExportingHost();
    const { attributes } = REQUEST;
    for (let i = 0; i < 110; i++)
      test.request({ ...REQUEST, attributes: { ...attributes, request: { ...attributes.request, method: `M${i}` } } });
    await test.advance(60_000);
    expect(test.cloud.faults).toEqual([]);
    expect(test.cloud.calls.metrics).toBe(3);
    expect(test.cloud.series.size).toBe(440);
    expect(test.counts("time_series")).toEqual({ exported: 440, failed: 0, dropped: 0 });
  });

  it("leave with the last word when the proxy ends", async () => {
    const test = new ExportingHost();
    test.request(REQUEST, productpage());
    await test.stackdriver.close();
    expect(test.cloud.metric("server/request_count").map(({ count }) => count)).toEqual([1]);
    expect(test.clock.pending).toBe(0);
  });

  it("leave when the last filter goes, not before", async () => {
    const test = new ExportingHost();
    const last = test.stackdriver.createRoot(test.host.roots[0] as never);
    last.onConfigure("");
    test.request(REQUEST, productpage());
    test.host.close();
    await test.advance(0);
    expect(test.cloud.calls.metrics).toBe(0);
    (last as { onClose?(): void }).onClose?.();
    await test.advance(0);
    expect(test.cloud.metric("server/request_count").map(({ count }) => count)).toEqual([1]);
    expect(test.clock.pending).toBe(0);
  });

  it("of a proxy of several processes are not exported, which its log says", async () => {
    const test = new ExportingHost({ withMetrics: false });
    test.request(REQUEST, productpage());
    await test.advance(120_000);
    expect(test.cloud.calls.metrics).toBe(0);
    expect(test.cloud.entries).toHaveLength(1);
    expect(test.host.logs.join()).toContain("not exported by a proxy of several processes");
  });
});

describe("overrides of metrics", () => {
  it("replace labels by expressions, drop metrics, and warn of what there is not", async () => {
    const test = new ExportingHost({
      configuration: {
        metrics_overrides: {
          "server/request_count": { tag_overrides: { api_version: "version", request_operation: "op", nothing: "x" } },
          "server/request_bytes": { drop: true },
          "server/connection_open_count": { tag_overrides: { response_code: "'1'", destination_port: "'1'" } },
          "server/no_such": { drop: true },
        },
      },
      expressions: { version: () => "v9", op: () => null, "'1'": () => "1" },
    });
    test.request(REQUEST, productpage());
    await test.advance(60_000);
    expect(test.cloud.metric("server/request_count")[0]?.labels).toEqual({
      ...SERVER_LABELS,
      ...{ api_version: "v9", request_operation: "unknown" },
    });
    expect(test.cloud.metric("server/response_bytes")[0]?.labels).toEqual(SERVER_LABELS);
    expect(test.cloud.metric("server/request_bytes")).toEqual([]);
    expect(test.host.logs.map((line) => line.slice(0, 90))).toEqual(
      [
        '3: stackdriver: metrics_overrides["server/request_count"]: the metric has no label "nothin',
        '3: stackdriver: metrics_overrides["server/connection_open_count"]: the metric has no label ',
        '3: stackdriver: metrics_overrides: there is no metric "server/no_such"; there are server/r',
      ].map((line) => line.slice(0, 90)),
    );
  });

  it("win over the older switch for sizes, which drops them by itself", async () => {
    const dropped = new ExportingHost({ configuration: { disable_http_size_metrics: true } });
    const kept = new ExportingHost({
      configuration: { disable_http_size_metrics: true, metrics_overrides: { "client/request_count": {} } },
    });
    for (const test of [dropped, kept]) {
      test.request(REQUEST, productpage());
      await test.advance(60_000);
    }
    expect(dropped.cloud.series.size).toBe(2);
    expect(kept.cloud.series.size).toBe(4);
  });
});
