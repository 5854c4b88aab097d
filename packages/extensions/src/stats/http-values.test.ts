import type { Attribute, FakeHeaders } from "@mixerless/sdk/testing";
import { describe, expect, it } from "vitest";
import { call, client, label, labels, labelsByName, mutual, only, repeat, server } from "../testing/http-call.ts";
import { CLIENT, createMeshHost, SERVER } from "../testing/mesh.ts";

describe("protocol and status", () => {
  const grpc = (type: string, response: Attribute, path: FakeHeaders = [[":path", "/a/b"]]) =>
    labelsByName(client, { headers: [...path, ["content-type", type]], attributes: { response } });

  it.each([
    ["application/grpc", "grpc"],
    ["application/grpc+proto", "grpc"],
    ["application/grpc+x", "grpc"],
    ["application/grpc-web", "http"],
    ["application/grpcx", "http"],
    ["application/json", "http"],
    ["text/plain", "http"],
    ["application/GRPC", "http"],
  ])("content type %s is %s", (type, protocol) => {
    expect(grpc(type, { code: 200 })["request_protocol"]).toBe(protocol);
  });

  it("without a path is http", () => {
    expect(grpc("application/grpc", { code: 200 }, [])["request_protocol"]).toBe("http");
  });

  it.each([
    [{ code: 200, grpc_status: 7 }, "200", "7"],
    [{ code: 200, grpc_status: 0 }, "200", "0"],
    [{ code: 503, grpc_status: 14 }, "503", "14"],
    [{ code: 200, grpc_status: 17 }, "200", "-1"],
    [{ code: 200, grpc_status: -1 }, "200", "-1"],
    [{ code: 200, grpc_status: 16 }, "200", "16"],
    [{}, "0", ""],
  ])("gRPC %j", (response, code, status) => {
    const seen = grpc("application/grpc", response as Attribute);
    expect([seen["response_code"], seen["grpc_response_status"]]).toEqual([code, status]);
  });

  it("plain HTTP has no gRPC status even if the response has one", () => {
    expect(label("grpc_response_status", client, { attributes: { response: { code: 200, grpc_status: 3 } } })).toBe("");
  });

  it("a request that was answered before the statistics saw it is counted with its protocol", () => {
    const headers: FakeHeaders = [
      [":path", "/"],
      ["content-type", "application/grpc"],
    ];
    const attributes = { response: { code: 403, flags: 0, grpc_status: 7 } };
    expect(labelsByName(server, { headers, attributes, early: true })).toMatchObject({
      request_protocol: "grpc",
      response_code: "403",
      grpc_response_status: "7",
    });
  });

  it.each([
    [0, "-"],
    [0x1, "LH"],
    [0x604, "UT,DI,FI"],
    [0x4000, "DC"],
    [0x40000, "DPE"],
    [0x10000000, "DR"],
    [0x20000000, "UDO"],
    [0x40000000, "-"],
  ])("flags %d", (flags, text) => {
    expect(label("response_flags", client, { attributes: { response: { code: 0, flags } } })).toBe(text);
  });
});

describe("values", () => {
  it("are one request, whole milliseconds and bytes", () => {
    const host = call(server);
    expect(only(host, "istio_requests_total").value).toBe(1);
    expect(only(host, "istio_request_duration_milliseconds").recorded).toEqual([12]);
    expect(only(host, "istio_request_bytes").recorded).toEqual([250]);
    expect(only(host, "istio_response_bytes").recorded).toEqual([1000]);
    expect(host.metrics.all().map((series) => series.name)).not.toContain("istio_request_messages_total");
  });

  it("leave out the duration of a request that never completed", () => {
    const host = call(server, { attributes: { request: { total_size: 1 } } });
    expect(host.metrics.family("istio_request_duration_milliseconds")).toEqual([]);
    expect(only(host, "istio_request_bytes").recorded).toEqual([1]);
  });

  it("all HTTP metrics have the same labels", () => {
    const expected = labels(server);
    for (const name of ["istio_request_duration_milliseconds", "istio_request_bytes", "istio_response_bytes"]) {
      expect(labels(server, {}, name)).toEqual(expected);
    }
  });

  it("add up over the streams of one series, and apart for different ones", () => {
    const host = createMeshHost({ stats: {}, ...server });
    for (let i = 0; i < 10; i++) repeat(host, { attributes: { response: { code: i < 7 ? 200 : 503 } } });
    expect(host.metrics.family("istio_requests_total").map((series) => series.value)).toEqual([7, 3]);
  });

  it.each([
    ["peer", (i: number) => ({ downstream: { WORKLOAD_NAME: `w${i}` } })],
    ["flags", (i: number) => ({ attributes: { response: { code: 200, flags: i } } })],
    ["principal", (i: number) => ({ attributes: { connection: mutual(`n/sa/${i}`, "l") } })],
    ["own principal", (i: number) => ({ attributes: { connection: mutual("n", `n/sa/${i}`) } })],
    ["host header", (i: number) => ({ headers: [[":authority", `h${i}`]] as FakeHeaders })],
    ["route", (i: number) => ({ attributes: { xds: { route_name: i === 0 ? "block_all" : "allow_any" } } })],
    [
      "service",
      (i: number) => ({
        attributes: { xds: { cluster_metadata: { filter_metadata: { istio: { services: [{ name: `n${i}` }] } } } } },
      }),
    ],
  ])("a different %s is a different series", (_what, given) => {
    const host = createMeshHost({ stats: {}, ...server });
    for (const i of [0, 1, 0]) repeat(host, given(i));
    expect(host.metrics.family("istio_requests_total").map((series) => series.value)).toEqual([2, 1]);
  });

  it("istio_build says which proxy this is", () => {
    const build = (node: Attribute) => createMeshHost({ stats: {}, node }).metrics.lines();
    expect(build(SERVER)).toEqual(['istio_build{component="proxy",tag="1.30.3"} 1']);
    expect(build({})).toEqual(['istio_build{component="proxy",tag="unknown"} 1']);
  });

  it("the reporter is the source where the direction is not given", () => {
    expect(label("reporter", { node: CLIENT })).toBe("source");
  });
});
