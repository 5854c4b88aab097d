import { FakeHost } from "@mixerless/sdk/testing";
import { describe, expect, it } from "vitest";
import { createAccessLogPolicy } from "../index.ts";

interface Request {
  readonly code?: number;
  readonly grpcStatus?: number;
  readonly contentType?: string;
  readonly address?: string;
  readonly principal?: string;
}

const HOUR = 3_600_000;

function hostWith(configuration: unknown): FakeHost {
  return new FakeHost({ filters: [{ createRoot: createAccessLogPolicy, configuration }], attributes: {} });
}

/** What the policy says of a request. */
function verdict(host: FakeHost, request: Request = {}): string | null {
  const { code = 200, grpcStatus, contentType, address = "10.0.0.1:5000", principal } = request;
  const response = { code, ...(grpcStatus === undefined ? {} : { grpc_status: grpcStatus }) };
  const connection = principal === undefined ? {} : { uri_san_peer_certificate: principal };
  const stream = host.open({
    attributes: { response, source: { address }, connection },
    requestHeaders: contentType === undefined ? [] : [["content-type", contentType]],
  });
  stream.request();
  stream.end();
  return stream.stream.state("istio.access_log_policy");
}

describe("the access log policy", () => {
  it("wants one request of a client in a window of twelve hours", () => {
    const host = hostWith({});
    expect([verdict(host), verdict(host)]).toEqual(["yes", "no"]);
    host.advance(12 * HOUR);
    expect(verdict(host)).toBe("no");
    host.advance(1);
    expect([verdict(host), verdict(host)]).toEqual(["yes", "no"]);
  });

  it("knows clients by address with port and by certificate", () => {
    const host = hostWith({ log_window_duration: "60s" });
    verdict(host);
    expect(verdict(host, { address: "10.0.0.1:5001" })).toBe("yes");
    expect(verdict(host, { principal: "spiffe://a" })).toBe("yes");
    expect(verdict(host, { principal: "spiffe://a" })).toBe("no");
  });

  it("wants every failed request, which opens no window", () => {
    const host = hostWith({});
    expect([verdict(host, { code: 503 }), verdict(host, { code: 400 }), verdict(host)]).toEqual(["yes", "yes", "yes"]);
    expect(verdict(host, { grpcStatus: 5, contentType: "application/grpc+proto" })).toBe("yes");
    expect(verdict(host, { grpcStatus: 0, contentType: "application/grpc" })).toBe("no");
    expect(verdict(host, { grpcStatus: 5, contentType: "text/plain" })).toBe("no");
  });

  it("forgets the oldest quarter of more clients than it may remember", () => {
    const host = hostWith({ maxClientCacheSize: 4 });
    const clients = [1, 2, 3, 4, 5, 6].map((port) => `a:${port}`);
    for (const address of clients) expect(verdict(host, { address })).toBe("yes");
    expect(verdict(host, { address: "a:2" })).toBe("no");
    expect(verdict(host, { address: "a:1" })).toBe("yes");
  });

  it("refuses what is no JSON object", () => {
    expect(hostWith("{").accepted).toEqual([false]);
  });
});
