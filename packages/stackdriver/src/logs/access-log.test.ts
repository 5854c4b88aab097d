import { StateName } from "@mixerless/sdk";
import type { FakeStreamOptions } from "@mixerless/sdk/testing";
import { describe, expect, it } from "vitest";
import { ExportingHost, type ExportingHostOptions, productpage } from "../testing/exporting-host.ts";

const ATTRIBUTES = {
  request: {
    ...{ method: "GET", url_path: "/ratings/1", host: "ratings:9080", scheme: "http", id: "req-1", useragent: "curl" },
    ...{ time: 1_699_999_999_500_000_000, duration: 1_012_500_000, total_size: 120, referer: "http://a/" },
  },
  response: { code: 200, flags: 0, total_size: 4000, code_details: "via_upstream" },
  source: { address: "10.0.0.1:4000" },
  destination: { address: "10.0.0.2:9080", port: 9080 },
  connection: { id: 7, requested_server_name: "outbound_.9080_._.ratings" },
  upstream: { address: "127.0.0.1:8080" },
  xds: { cluster_name: "inbound|9080||", route_name: "default" },
};
const REQUEST: FakeStreamOptions = { attributes: ATTRIBUTES, requestHeaders: [] };

function withCode(code: number, flags = 0): FakeStreamOptions {
  return { ...REQUEST, attributes: { ...ATTRIBUTES, response: { ...ATTRIBUTES.response, code, flags } } };
}

/** Codes of the requests that were logged. */
async function logged(options: ExportingHostOptions, ...requests: FakeStreamOptions[]): Promise<number[]> {
  const test = new ExportingHost(options);
  for (const request of requests) test.request(request, productpage(), options.outbound);
  await test.advance(10_000);
  expect(test.cloud.faults).toEqual([]);
  return test.cloud.entries.map(({ entry }) => entry.httpRequest?.status ?? 0);
}

describe("access logs of requests", () => {
  it("tell a server's request, its peer and itself, in a batch after ten seconds", async () => {
    const test = new ExportingHost();
    test.request(
      {
        ...REQUEST,
        requestHeaders: [
          ["x-b3-sampled", "1"],
          ["x-b3-traceid", "463ac35c9f6413ad48485a3953bb6124"],
          ["x-b3-spanid", "a2fb4a1d1a96d312"],
        ],
      },
      productpage(),
    );
    test.request(REQUEST, productpage());
    await test.advance(9999);
    expect(test.cloud.entries).toEqual([]);
    await test.advance(1);
    expect(test.cloud.faults).toEqual([]);
    expect(test.cloud.calls.logs).toBe(1);
    const [first, second] = test.cloud.entries;
    expect(first).toMatchObject({
      logName: "projects/test-project/logs/server-accesslog-stackdriver",
      resource: "k8s_container",
    });
    expect(first?.labels).toEqual({
      ...{ destination_name: "ratings-v1-84975bc778-pxz2w", destination_workload: "ratings-v1" },
      ...{ destination_namespace: "default", destination_version: "v1", destination_app: "ratings" },
      ...{ destination_canonical_service: "ratings", destination_canonical_revision: "version-1" },
      ...{ source_name: "productpage-v1-84975bc778-pxz2w", source_workload: "productpage-v1" },
      ...{ source_namespace: "default", source_version: "v1", source_app: "productpage" },
      ...{ source_canonical_service: "productpage-v1", source_canonical_revision: "version-1" },
      ...{ mesh_uid: "proj-123", destination_service_host: "ratings:9080", destination_service_name: "ratings:9080" },
      ...{ service_authentication_policy: "NONE", protocol: "http", response_flag: "-", log_sampled: "false" },
      ...{ connection_id: "7", upstream_cluster: "inbound|9080||", upstream_host: "127.0.0.1:8080" },
      ...{ route_name: "default", requested_server_name: "outbound_.9080_._.ratings" },
      ...{ request_id: "req-1", response_details: "via_upstream" },
    });
    expect(first?.entry).toMatchObject({
      timestamp: { seconds: 1_699_999_999n, nanos: 500_000_000 },
      severity: 200,
      trace: "projects/test-project/traces/463ac35c9f6413ad48485a3953bb6124",
      ...{ spanId: "a2fb4a1d1a96d312", traceSampled: true },
      httpRequest: {
        ...{ requestMethod: "GET", requestUrl: "http://ratings:9080/ratings/1", status: 200, protocol: "http" },
        ...{ requestSize: 120n, responseSize: 4000n, userAgent: "curl", referer: "http://a/" },
        ...{ remoteIp: "10.0.0.1:4000", serverIp: "10.0.0.2:9080", latency: { seconds: 1n, nanos: 12_500_000 } },
      },
    });
    expect(second?.entry.trace).toBe("");
    expect(second?.entry.insertId).not.toBe(first?.entry.insertId);
  });

  it("are a server's unless they are disabled, and a client's only as it asks", async () => {
    const requests = [withCode(200), withCode(404), withCode(201, 4)];
    const quiet = { disable_server_access_logging: true };
    expect(await logged({}, ...requests)).toEqual([200, 404, 201]);
    expect(await logged({ configuration: quiet }, ...requests)).toEqual([]);
    expect(await logged({ configuration: { ...quiet, access_logging: "ERRORS_ONLY" } }, ...requests)).toEqual([
      404, 201,
    ]);
    expect(await logged({ outbound: true }, ...requests)).toEqual([]);
    expect(await logged({ outbound: true, configuration: { access_logging: "ERRORS_ONLY" } }, ...requests)).toEqual([
      404, 201,
    ]);
    expect(await logged({ outbound: true, configuration: { accessLogging: 1 } }, ...requests)).toEqual([200, 404, 201]);
  });

  it("leave out what the sampling policy says no to, and say whether there is one", async () => {
    const test = new ExportingHost();
    for (const verdict of ["yes", "no"]) {
      const exchange = test.host.open({
        ...REQUEST,
        attributes: { ...ATTRIBUTES, "istio.access_log_policy": verdict },
      });
      exchange.stream.setState(new StateName("downstream_peer"), productpage());
      exchange.end();
    }
    await test.advance(10_000);
    expect(test.cloud.entries.map(({ labels }) => labels.log_sampled)).toEqual(["true"]);
  });

  it("keep what their filter lets through, and what it can't judge", async () => {
    const configuration = { access_logging_filter_expression: "f", access_logging: "FULL" };
    const filtered = (value: string | null) =>
      logged({ configuration, expressions: { f: () => value } }, withCode(200));
    expect([await filtered("true"), await filtered("false"), await filtered(null)]).toEqual([[200], [], [200]]);
  });

  it("have labels of their own, which win; what can't be evaluated is left out", async () => {
    const test = new ExportingHost({
      configuration: { custom_log_config: { dimensions: { team: "t", request_id: "r", none: "n" } } },
      expressions: { t: () => "blue", r: () => "mine", n: () => null },
    });
    test.request(REQUEST);
    await test.advance(10_000);
    expect(test.cloud.entries[0]?.labels).toMatchObject({ team: "blue", request_id: "mine" });
    expect(test.cloud.entries[0]?.labels).not.toHaveProperty("none");
  });

  it("name the policy that denied a request, and what policies on trial would have said", async () => {
    const test = new ExportingHost();
    const details = "rbac_access_denied_matched_policy[ns[foo]-policy[httpbin-deny]-rule[0]]";
    const rbac = {
      istio_dry_run_allow_shadow_engine_result: "allowed",
      istio_dry_run_allow_shadow_effective_policy_id: "ns[foo]-policy[allow]-rule[1]",
      istio_dry_run_deny_shadow_engine_result: "denied",
      istio_dry_run_deny_shadow_effective_policy_id: "ns[foo]-policy[deny]-rule[2]",
    };
    const { istio_dry_run_deny_shadow_engine_result: _, ...allowed } = rbac;
    for (const some of [rbac, allowed]) {
      const response = { code: 403, code_details: details };
      const metadata = { filter_metadata: { "envoy.filters.http.rbac": some } };
      test.request({ ...REQUEST, attributes: { ...ATTRIBUTES, response, metadata } });
    }
    await test.advance(10_000);
    const [denied, granted] = test.cloud.entries.map(({ labels }) => labels);
    expect(denied).toMatchObject({
      ...{ response_details: "AuthzDenied", policy_name: "foo.httpbin-deny", policy_rule: "0" },
      ...{ dry_run_result: "AuthzDenied", dry_run_policy_name: "foo.deny", dry_run_policy_rule: "2" },
    });
    expect(granted).toMatchObject({ dry_run_result: "AuthzAllowed", dry_run_policy_name: "foo.allow" });
  });

  it("are written for headers that are no UTF-8 as well, with replacements", async () => {
    const test = new ExportingHost();
    const request = { ...ATTRIBUTES.request, useragent: "a\xff\xfeb", url_path: "/\xc3\xa4" };
    test.request({ ...REQUEST, attributes: { ...ATTRIBUTES, request } });
    await test.advance(10_000);
    expect(test.cloud.faults).toEqual([]);
    expect(test.cloud.entries[0]?.entry.httpRequest).toMatchObject({
      ...{ userAgent: "a\ufffd\ufffdb", requestUrl: "http://ratings:9080/ä" },
    });
  });

  it("wait while the endpoint is away, bounded: what finds no room is dropped and counted, nothing comes twice", async () => {
    const test = new ExportingHost({ configuration: { max_log_batch_size_in_bytes: 20_000 }, withMetrics: false });
    test.cloud.failWith = 14;
    for (let i = 0; i < 200; i++) test.request(REQUEST, productpage());
    await test.advance(60_000);
    const { dropped = 0 } = test.counts("log_entry");
    expect(dropped).toBeGreaterThan(150);
    test.cloud.failWith = 0;
    for (let i = 0; i < 8; i++) await test.advance(60_000);
    expect(test.cloud.entries).toHaveLength(200 - dropped);
    expect(new Set(test.cloud.entries.map(({ entry }) => entry.insertId)).size).toBe(200 - dropped);
    expect(test.counts("log_entry")).toEqual({ exported: 200 - dropped, failed: 0, dropped });
  });

  it("that are refused for good are failed, and those after them go on", async () => {
    const test = new ExportingHost();
    test.cloud.failWith = 7;
    test.request(REQUEST);
    await test.advance(10_000);
    test.cloud.failWith = 0;
    test.request(REQUEST);
    await test.advance(10_000);
    expect(test.counts("log_entry")).toEqual({ exported: 1, failed: 1, dropped: 0 });
    const calls = test.host.metrics.family("envoy_export_call").filter(({ values }) => values[1] === "logging");
    expect(calls.map(({ values, value }) => [values[2], value])).toEqual([
      ["false", 1],
      ["true", 1],
    ]);
  });
});
