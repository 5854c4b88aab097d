import type { Attribute, FakeExchange, FakeHost } from "@mixerless/sdk/testing";
import { describe, expect, it } from "vitest";
import {
  CLIENT,
  CLIENT_PEER,
  createMeshHost,
  INBOUND,
  type MeshHostOptions,
  OUTBOUND,
  type PeerFields,
  peerBytes,
  SERVER,
  SERVER_PEER,
  SERVICE,
} from "../testing/mesh.ts";
import { LABELS } from "./labels.ts";

const server: MeshHostOptions = { node: SERVER, direction: INBOUND, stats: {} };
const client: MeshHostOptions = { node: CLIENT, direction: OUTBOUND, stats: {} };

/** The values of all series of a metric, in order of appearance. */
const values = (host: FakeHost, name: string) => host.metrics.family(`istio_${name}`).map((series) => series.value);

function learn(stream: FakeExchange, name: string, peer: PeerFields): void {
  stream.stream.setState({ name, slot: 0 }, peerBytes(peer));
}

function noPeer(stream: FakeExchange): void {
  stream.stream.setState({ name: "peer_not_found", slot: 0 }, "1");
}

const bytes = (received: number, sent: number, more: Record<string, Attribute> = {}) => ({
  request: { total_size: received },
  response: { total_size: sent, flags: 0 },
  ...more,
});

describe("TCP", () => {
  const tls = {
    connection: {
      uri_san_peer_certificate: "spiffe://d/ns/default/sa/a",
      uri_san_local_certificate: "spiffe://d/ns/x/sa/b",
    },
  };

  it("destination labels, in upstream's order", () => {
    const host = createMeshHost(server);
    const stream = host.open({ attributes: bytes(6, 12, tls) });
    stream.connect();
    learn(stream, "downstream_peer", CLIENT_PEER);
    stream.end();
    const series = host.metrics.family("istio_tcp_sent_bytes_total")[0];
    expect(series?.labels.map((label, i) => [label, series.values[i]])).toEqual([
      ["reporter", "destination"],
      ["source_workload", "productpage-v1"],
      ["source_canonical_service", "productpage-v1"],
      ["source_canonical_revision", "version-1"],
      ["source_workload_namespace", "default"],
      ["source_principal", "spiffe://d/ns/default/sa/a"],
      ["source_app", "productpage"],
      ["source_version", "v1"],
      ["source_cluster", "client-cluster"],
      ["destination_workload", "ratings-v1"],
      ["destination_workload_namespace", "default"],
      ["destination_principal", "spiffe://d/ns/x/sa/b"],
      ["destination_app", "ratings"],
      ["destination_version", "v1"],
      ["destination_service", "ratings"],
      ["destination_canonical_service", "ratings"],
      ["destination_canonical_revision", "version-1"],
      ["destination_service_name", "ratings"],
      ["destination_service_namespace", "default"],
      ["destination_cluster", "server-cluster"],
      ["request_protocol", "tcp"],
      ["response_flags", "-"],
      ["connection_security_policy", "mutual_tls"],
    ]);
  });

  it.each([
    ["destination", server, "downstream_peer", CLIENT_PEER],
    ["source", client, "upstream_peer", SERVER_PEER],
  ])("%s: 10 connections of 6 bytes up and 12 down", (_what, options, state, peer) => {
    const host = createMeshHost(options);
    for (let i = 0; i < 10; i++) {
      const stream = host.open({ attributes: bytes(0, 0) });
      stream.connect();
      learn(stream, state, peer);
      stream.end(bytes(6, 12));
    }
    expect(values(host, "tcp_connections_opened_total")).toEqual([10]);
    expect(values(host, "tcp_connections_closed_total")).toEqual([10]);
    expect(values(host, "tcp_received_bytes_total")).toEqual([60]);
    expect(values(host, "tcp_sent_bytes_total")).toEqual([120]);
    expect(values(host, "requests_total")).toEqual([]);
  });

  it("an exchange that failed: the namespace comes from the certificate", () => {
    const host = createMeshHost(server);
    const stream = host.open({ attributes: bytes(6, 12, tls) });
    stream.connect();
    noPeer(stream);
    stream.end();
    const series = host.metrics.family("istio_tcp_connections_closed_total")[0];
    expect(Object.fromEntries(series?.labels.map((label, i) => [label, series.values[i]]) ?? [])).toMatchObject({
      source_workload: "unknown",
      source_canonical_revision: "latest",
      source_workload_namespace: "default",
      source_principal: "spiffe://d/ns/default/sa/a",
      connection_security_policy: "mutual_tls",
    });
  });

  it("the client of a service outside the mesh: the service by the cluster, never by a host header", () => {
    const seen = (xds: Attribute) => {
      const host = createMeshHost(client);
      const stream = host.open({ attributes: bytes(1, 1, { xds }), requestHeaders: [[":authority", "host"]] });
      stream.connect();
      noPeer(stream);
      stream.end();
      const series = host.metrics.family("istio_tcp_sent_bytes_total")[0];
      return ["destination_service", "destination_service_name", "destination_canonical_revision"].map(
        (label) => series?.values[series.labels.indexOf(label)],
      );
    };
    expect(seen({ cluster_metadata: SERVICE })).toEqual(["server.default.svc.cluster.local", "server", "latest"]);
    expect(seen({})).toEqual(["unknown", "unknown", "latest"]);
    expect(seen({ cluster_name: "PassthroughCluster" })).toEqual(["unknown", "PassthroughCluster", "latest"]);
  });

  it("reports before the end, in differences, once the peer is known", () => {
    const host = createMeshHost(server);
    const stream = host.open({ attributes: bytes(0, 0) });
    stream.connect();
    stream.stream.attributes = bytes(100, 200);
    host.advance(5000);
    expect(values(host, "tcp_connections_opened_total")).toEqual([]);
    learn(stream, "downstream_peer", CLIENT_PEER);
    host.advance(5000);
    expect(values(host, "tcp_connections_opened_total")).toEqual([1]);
    expect(values(host, "tcp_received_bytes_total")).toEqual([100]);
    expect(values(host, "tcp_connections_closed_total")).toEqual([]);
    stream.stream.attributes = bytes(150, 200);
    host.advance(5000);
    expect(values(host, "tcp_received_bytes_total")).toEqual([150]);
    stream.end(bytes(151, 202));
    expect(values(host, "tcp_received_bytes_total")).toEqual([151]);
    expect(values(host, "tcp_sent_bytes_total")).toEqual([202]);
    expect(values(host, "tcp_connections_opened_total")).toEqual([1]);
    expect(values(host, "tcp_connections_closed_total")).toEqual([1]);
  });

  it("does not wait any more when there is no peer", () => {
    const host = createMeshHost(client);
    const stream = host.open({ attributes: bytes(1, 2) });
    stream.connect();
    noPeer(stream);
    host.advance(5000);
    expect(values(host, "tcp_connections_opened_total")).toEqual([1]);
  });

  it("waits for the peer of its own direction", () => {
    const host = createMeshHost(client);
    const stream = host.open({ attributes: bytes(1, 2) });
    stream.connect();
    learn(stream, "downstream_peer", CLIENT_PEER);
    host.advance(10_000);
    expect(values(host, "tcp_connections_opened_total")).toEqual([]);
  });

  it("chooses its labels once", () => {
    const host = createMeshHost(server);
    const stream = host.open({ attributes: bytes(1, 2) });
    stream.connect();
    noPeer(stream);
    host.advance(5000);
    stream.end({ request: { total_size: 1 }, response: { total_size: 2, flags: 0x40 } });
    const closed = host.metrics.family("istio_tcp_connections_closed_total")[0];
    expect(closed?.values[closed.labels.indexOf("response_flags")]).toBe("-");
  });

  it("shows its flags where it ended before it could report", () => {
    const host = createMeshHost(server);
    const stream = host.open();
    stream.connect();
    stream.end({ response: { flags: 0x22 } });
    const opened = host.metrics.family("istio_tcp_connections_opened_total")[0];
    expect(opened?.values[opened.labels.indexOf("response_flags")]).toBe("UH,UF");
    expect(values(host, "tcp_sent_bytes_total")).toEqual([0]);
  });

  it("gives custom metrics their value at the close only", () => {
    const host = createMeshHost({ ...server, stats: { definitions: [{ name: "custom", value: "1" }] } });
    const stream = host.open();
    stream.connect();
    noPeer(stream);
    host.advance(20_000);
    expect(values(host, "custom")).toEqual([]);
    stream.end();
    expect(values(host, "custom")).toEqual([1]);
  });
});

describe("gRPC messages", () => {
  const counts = (request: number, response: number, code: Record<string, number> = {}) => ({
    request: { duration: 1e6, total_size: 1 },
    response: { flags: 0, total_size: 1, ...code },
    filter_state: {
      "envoy.filters.http.grpc_stats": { request_message_count: request, response_message_count: response },
    },
  });
  const open = (host: FakeHost, attributes: Attribute) => {
    const stream = host.open({
      attributes,
      requestHeaders: [
        [":path", "/s/m"],
        ["content-type", "application/grpc"],
      ],
    });
    stream.request();
    return stream;
  };

  it.each([
    ["destination", server, "downstream_peer", CLIENT_PEER],
    ["source", client, "upstream_peer", SERVER_PEER],
  ])("%s: counts in the middle of a stream and at its end", (_what, options, state, peer) => {
    const host = createMeshHost(options);
    const stream = open(host, counts(0, 0));
    learn(stream, state, peer);
    stream.stream.attributes = counts(3, 13);
    host.advance(5000);
    expect(values(host, "request_messages_total")).toEqual([3]);
    expect(values(host, "response_messages_total")).toEqual([13]);
    expect(values(host, "requests_total")).toEqual([]);
    stream.end(counts(8, 27, { code: 200, grpc_status: 0 }));
    expect(values(host, "request_messages_total")).toEqual([8]);
    expect(values(host, "response_messages_total")).toEqual([27]);
    expect(values(host, "requests_total")).toEqual([1]);
  });

  it("have the labels of both ends and of the service, and no others", () => {
    const host = createMeshHost(server);
    open(host, counts(1, 1)).end();
    expect(host.metrics.family("istio_request_messages_total")[0]?.labels).toEqual(LABELS.slice(0, 20));
  });

  it("wait for the peer, but not beyond the end", () => {
    const host = createMeshHost(client);
    const stream = open(host, counts(1, 2));
    host.advance(60_000);
    expect(values(host, "request_messages_total")).toEqual([]);
    stream.end();
    expect(values(host, "request_messages_total")).toEqual([1]);
  });

  it("show their series even if no message was sent", () => {
    const host = createMeshHost(server);
    open(host, counts(0, 0)).end();
    expect(values(host, "request_messages_total")).toEqual([0]);
    expect(values(host, "response_messages_total")).toEqual([0]);
  });

  it("can be read in their printed form", () => {
    const host = createMeshHost(server);
    open(host, { filter_state: { "envoy.filters.http.grpc_stats": "3,13" } }).end();
    expect(values(host, "request_messages_total")).toEqual([3]);
    expect(values(host, "response_messages_total")).toEqual([13]);
  });

  it.each([[{}], [{ "envoy.filters.http.grpc_stats": "3" }], [{ "envoy.filters.http.grpc_stats": "a,b" }]])(
    "are absent where nobody counts: %j",
    (filter_state) => {
      const host = createMeshHost(server);
      open(host, { filter_state }).end();
      expect(values(host, "request_messages_total")).toEqual([]);
      expect(values(host, "requests_total")).toEqual([1]);
    },
  );

  it("are not counted for plain HTTP", () => {
    const host = createMeshHost(server);
    const stream = host.open({ attributes: counts(1, 1) });
    stream.request();
    stream.end();
    expect(values(host, "request_messages_total")).toEqual([]);
  });
});

describe("the interval", () => {
  it.each([
    [{}, 5000],
    [{ tcp_reporting_duration: "15s" }, 15_000],
    [{ tcpReportingDuration: "0.5s" }, 500],
    [{ tcp_reporting_duration: "1.25s" }, 1250],
    [{ tcp_reporting_duration: "nonsense" }, 5000],
    [{ tcp_reporting_duration: "s" }, 5000],
    [{ tcp_reporting_duration: "1.xs" }, 5000],
    [{ tcp_reporting_duration: "90000s" }, 5000],
  ])("%j is %d ms", (stats, interval) => {
    const host = createMeshHost({ ...server, stats });
    const stream = host.open();
    stream.connect();
    noPeer(stream);
    host.advance(interval - 1);
    expect(values(host, "tcp_connections_opened_total")).toEqual([]);
    host.advance(1);
    expect(values(host, "tcp_connections_opened_total")).toEqual([1]);
  });

  it("of 0 means at the end only", () => {
    const host = createMeshHost({ ...server, stats: { tcp_reporting_duration: "0s" } });
    const stream = host.open();
    stream.connect();
    noPeer(stream);
    host.advance(60_000);
    expect(values(host, "tcp_connections_opened_total")).toEqual([]);
    stream.end();
    expect(values(host, "tcp_connections_opened_total")).toEqual([1]);
  });

  it("is kept for each connection by one timer, which stops when there is nothing to report", () => {
    const host = createMeshHost(server);
    const [root] = host.roots;
    expect(root?.tickPeriod).toBe(0);
    const streams = [0, 1, 2, 3, 4, 5, 6].map((i) => {
      const stream = host.open({ attributes: bytes(i, 0) });
      stream.connect();
      noPeer(stream);
      host.advance(1000);
      return stream;
    });
    expect(root?.tickPeriod).toBe(1000);
    expect(values(host, "tcp_connections_opened_total")).toEqual([3]);
    host.advance(3000);
    expect(values(host, "tcp_connections_opened_total")).toEqual([6]);
    for (const i of [3, 0, 6, 5, 2, 1, 4]) streams[i]?.end();
    expect(values(host, "tcp_connections_closed_total")).toEqual([7]);
    host.advance(1000);
    expect(root?.tickPeriod).toBe(0);
  });

  it("is not kept for plain HTTP", () => {
    const host = createMeshHost(server);
    host.open().request();
    expect(host.roots[0]?.tickPeriod).toBe(0);
  });

  it("ends with a stream that is deleted without a log", () => {
    const host = createMeshHost(server);
    const context = host.open();
    context.connect();
    noPeer(context);
    context.abort();
    host.advance(60_000);
    expect(values(host, "tcp_connections_opened_total")).toEqual([]);
    expect(host.roots[0]?.tickPeriod).toBe(0);
  });
});

describe("exchange and statistics together", () => {
  it("know each other's workloads at both ends of a call", () => {
    const outbound = createMeshHost({
      ...client,
      exchange: { upstream_discovery: [{ istio_headers: {} }], upstream_propagation: [{ istio_headers: {} }] },
    });
    const inbound = createMeshHost({
      ...server,
      exchange: { downstream_discovery: [{ istio_headers: {} }], downstream_propagation: [{ istio_headers: {} }] },
    });
    for (let i = 0; i < 10; i++) {
      const from = outbound.open({ requestHeaders: [[":path", "/"]] });
      const to = inbound.open({ requestHeaders: from.request() });
      expect(to.request()).toEqual([[":path", "/"]]);
      expect(from.response(to.response([[":status", "200"]]))).toEqual([[":status", "200"]]);
      to.end({ response: { code: 200 } });
      from.end({ response: { code: 200 } });
    }
    for (const host of [outbound, inbound]) {
      const series = host.metrics.family("istio_requests_total")[0];
      const labels = Object.fromEntries(series?.labels.map((label, i) => [label, series.values[i]]) ?? []);
      expect(series?.value).toBe(10);
      expect(labels).toMatchObject({
        source_workload: "productpage-v1",
        source_cluster: "client-cluster",
        destination_workload: "ratings-v1",
        destination_cluster: "server-cluster",
      });
    }
  });
});
