import { describe, expect, it } from "vitest";
import type { TestProxyOptions } from "../../http/testing/test-proxy.ts";
import type { TlsInfo } from "../../transport/transport.ts";
import { extension, property, proxy } from "../testing/test-extension.ts";

const TLS: TlsInfo = {
  version: "TLSv1.3",
  alpn: null,
  peerCertificatePresented: true,
  uriSanPeer: ["spiffe://td/ns/a/sa/client", "second"],
  dnsSanPeer: [],
  fingerprintPeer: null,
  uriSanLocal: ["spiffe://td/ns/b/sa/server"],
  subjectPeer: null,
  subjectLocal: null,
};

describe("attributes", () => {
  /** Values at the end of one request. */
  function read(paths: readonly string[][], options: TestProxyOptions = {}): unknown[] {
    let values: unknown[] = [];
    const { test, cluster } = proxy(
      extension({
        onLog: (host) => {
          values = paths.map((path) => {
            const number = host.getNumber(property(...path), Number.NaN);
            return Number.isNaN(number) ? host.getString(property(...path)) : number;
          });
        },
      }),
      options,
    );
    const exchange = test.request(
      { ":method": "POST", ":path": "/p?q=1", "x-request-id": "id", "user-agent": "ua", "x-a": "1" },
      false,
    );
    exchange.data("12345", true);
    test.clock.advance(3);
    cluster.last.begin(201, { "x-b": "2" });
    test.clock.advance(4);
    cluster.last.data("123", true);
    return values;
  }

  it.each([
    [["request", "path"], "/p?q=1"],
    [["request", "url_path"], "/p"],
    [["request", "query"], "q=1"],
    [["request", "host"], "reviews"],
    [["request", "method"], "POST"],
    [["request", "scheme"], "http"],
    [["request", "protocol"], "HTTP/1.1"],
    [["request", "id"], "id"],
    [["request", "useragent"], "ua"],
    [["request", "referer"], null],
    [["request", "headers", "X-A"], "1"],
    [["request", "duration"], 7e6],
    [["request", "size"], 5],
    [["request", "total_size"], 300],
    [["response", "code"], 201],
    [["response", "code_details"], "via_upstream"],
    [["response", "flags"], 0],
    [["response", "grpc_status"], null],
    [["response", "headers", "x-b"], "2"],
    [["response", "size"], 3],
    [["response", "backend_latency"], 7e6],
    [["source", "address"], "10.0.0.9:41000"],
    [["source", "port"], 41000],
    [["destination", "address"], "10.0.0.1:8080"],
    [["connection", "id"], 7],
    [["connection", "mtls"], 1],
    [["connection", "tls_version"], "TLSv1.3"],
    [["connection", "uri_san_peer_certificate"], "spiffe://td/ns/a/sa/client"],
    [["connection", "uri_san_local_certificate"], "spiffe://td/ns/b/sa/server"],
    [["upstream", "address"], "10.1.0.5:9080"],
    [["upstream", "port"], 9080],
    [["upstream", "local_address"], "127.0.10.1:50000"],
    [["upstream", "uri_san_peer_certificate"], null],
    [["upstream", "request_attempt_count"], 1],
    [["xds", "cluster_name"], "c"],
    [["cluster_name"], "c"],
    [["xds", "cluster_metadata", "filter_metadata", "istio", "services", "0", "host"], "reviews.default"],
    [["xds", "cluster_metadata", "filter_metadata", "istio", "services", "1", "host"], null],
    [["xds", "cluster_metadata", "filter_metadata", "istio", "external"], 1],
    [["xds", "cluster_metadata", "filter_metadata", "istio", "services"], null],
    [["xds", "route_name"], "r"],
    [["xds", "route_metadata", "filter_metadata", "m", "k"], "route"],
    [["xds", "virtual_host_name"], "all"],
    [["xds", "upstream_host_metadata", "filter_metadata", "istio", "workload"], null],
    [["xds", "filter_chain_name"], "chain"],
    [["xds", "listener_direction"], 2],
    [["nothing", "known"], null],
    [["request", "nothing"], null],
    [["__proto__"], null],
    [["xds", "node", "constructor"], null],
  ])("%j", (path, expected) => {
    expect(read([path], { tls: TLS })).toEqual([expected]);
  });

  it("print numbers and booleans as text", () => {
    let printed: (string | null)[] = [];
    const { test, cluster } = proxy(
      extension({
        onLog: (host) => {
          printed = [host.getString(property("response", "code")), host.getString(property("connection", "mtls"))];
        },
      }),
    );
    test.request();
    cluster.last.respond(204);
    expect(printed).toEqual(["204", "false"]);
  });

  it("know the cluster while the request headers pass, before any host is chosen", () => {
    const seen: unknown[] = [];
    const { test } = proxy(
      extension({ onRequestHeaders: (host) => void seen.push(host.getString(property("xds", "cluster_name"))) }),
    );
    test.request();
    expect(seen).toEqual(["c"]);
  });

  it("have no code where there was no response", () => {
    let code = 0;
    const { test } = proxy(
      extension({
        onLog: (host) => {
          code = host.getNumber(property("response", "code"), -1);
        },
      }),
    );
    test.request().disconnect();
    expect(code).toBe(-1);
  });
});
