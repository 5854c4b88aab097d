import { VirtualClock } from "@mixerless/clock";
import { MetricStore } from "@mixerless/metrics";
import { describe, expect, it } from "vitest";
import { Expressions } from "../expression/expressions.ts";
import { StreamExpressions } from "../expression/stream-expressions.ts";
import { fakeHost } from "../http/testing/fake-cluster.ts";
import { fakeConnectionInfo } from "../http/testing/fake-connection.ts";
import { headersOf } from "../http/testing/fake-server-codec.ts";
import { routesTo, TestProxy, textLog } from "../http/testing/test-proxy.ts";
import { ResponseFlag } from "../stream/response-flags.ts";
import { StreamInfo } from "../stream/stream-info.ts";
import type { Cluster } from "../upstream/cluster.ts";
import { compileJson, compileText } from "./format/compile-format.ts";

const ISTIO =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n';

const clock = new VirtualClock(Date.UTC(2026, 10, 24, 1, 2, 3, 45));

const metrics = new MetricStore({ clock });
const node = { id: "sidecar~1", metadata: { NAME: "n" } };
const parts = { clock, expressions: new StreamExpressions(new Expressions(metrics), node) };

/** A finished stream with something in every fact. */
function stream(): StreamInfo {
  const info = new StreamInfo(
    { name: "l", direction: 2, filterChainName: "chain", metadata: { ns: { k: "v" } } },
    fakeConnectionInfo(),
    clock.now(),
    0,
  );
  info.protocol = "HTTP/1.1";
  info.requestHeaders = headersOf({
    ":method": "GET",
    ":path": "/a?b=1&c",
    ":authority": "reviews",
    "user-agent": "curl",
    "x-long": "abcdefgh",
  });
  info.responseHeaders = headersOf({ ":status": "200", "x-envoy-upstream-service-time": "4" });
  info.responseCode = 200;
  info.responseCodeDetails = "via_upstream";
  info.bytesReceived = 3;
  info.bytesSent = 5;
  info.wireBytesReceived = 103;
  info.wireBytesSent = 205;
  info.requestReceived = 1;
  info.upstreamConnected = 2.5;
  info.upstreamFirstByteSent = 2.5;
  info.upstreamLastByteSent = 3;
  info.upstreamResponseStarted = 8.9;
  info.responseStarted = 9;
  info.ended = 12.75;
  info.attemptCount = 2;
  info.route = {
    name: "default",
    virtualHost: "reviews:9080",
    metadata: { istio: { config: "/vs" } },
    virtualHostMetadata: {},
  };
  info.cluster = {
    name: "outbound|9080||reviews",
    metadata: { istio: { services: [{ host: "reviews" }] } },
  } as unknown as Cluster;
  info.upstreamHost = fakeHost("10.1.0.5", { istio: { workload: "reviews-v1;default;reviews;v1;c" } });
  info.upstreamConnection = fakeConnectionInfo();
  info.filterState.set("peer", { workload: "productpage" });
  info.filterState.set("text", "plain");
  return info;
}

function text(format: string, info = stream()): string {
  const faults: never[] = [];
  const line = compileText(format, parts, "", faults)(info);
  expect(faults).toEqual([]);
  return line;
}

function json(format: unknown, info = stream(), omitEmpty = false): string {
  const faults: never[] = [];
  const line = compileJson(format, omitEmpty, parts, "", faults)(info);
  expect(faults).toEqual([]);
  return line;
}

describe("a text line", () => {
  it("is Istio's default to the letter", () => {
    expect(text(ISTIO)).toBe(
      '[2026-11-24T01:02:03.045Z] "GET /a?b=1&c HTTP/1.1" 200 - via_upstream - "-" 3 5 12 4 "-" "curl" "-" "reviews" "10.1.0.5:9080" outbound|9080||reviews 10.0.0.1:8080 10.0.0.1:8080 10.0.0.9:41000 - default\n',
    );
  });

  it("is Istio's default to the letter for a TCP connection too", () => {
    const info = new StreamInfo(stream().listener, fakeConnectionInfo(), clock.now(), 0);
    info.bytesReceived = 10;
    info.bytesSent = 20;
    info.ended = 1500;
    info.cluster = stream().cluster;
    info.setFlag(ResponseFlag.UpstreamConnectionFailure);
    info.upstreamTransportFailure = "connection refused";
    expect(text(ISTIO, info)).toBe(
      '[2026-11-24T01:02:03.045Z] "- - -" 0 UF - - "connection_refused" 10 20 1500 - "-" "-" "-" "-" "-" outbound|9080||reviews - 10.0.0.1:8080 10.0.0.9:41000 - -\n',
    );
    expect(json({ code: "%RESPONSE_CODE%", method: "%REQ(:METHOD)%", ms: "%DURATION%" }, info)).toBe(
      '{"code":0,"method":null,"ms":1500}\n',
    );
  });

  it.each([
    ["%REQ(X-LONG):3%", "abc"],
    ["%REQ(NONE?X-LONG)%", "abcdefgh"],
    ["100%% %REQ(NONE)%", "100% -"],
    ["%PATH(NQ)% %QUERY_PARAM(b)% %QUERY_PARAM(c)% %QUERY_PARAM(d)%", "/a 1  -"],
    ["%REQUEST_DURATION% %REQUEST_TX_DURATION% %RESPONSE_DURATION% %RESPONSE_TX_DURATION%", "1 3 8 3"],
    ["%COMMON_DURATION(DS_RX_BEG:US_CX_END:us)%", "2500"],
    ["%DOWNSTREAM_WIRE_BYTES_RECEIVED%/%DOWNSTREAM_WIRE_BYTES_SENT%", "103/205"],
    ["%UPSTREAM_REQUEST_ATTEMPT_COUNT%", "2"],
    ["%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_LOCAL_PORT%", "10.0.0.9 8080"],
    ["%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(16)%", "10.0.0.0/16"],
    ["%START_TIME(%s.%3f)%", "1795482123.045"],
    ["%START_TIME(%Y/%m/%dT%H:%M:%S%z)%", "2026/11/24T01:02:03+0000"],
    ["%METADATA(ROUTE:istio:config)% %CLUSTER_METADATA(istio:services)%", '/vs [{"host":"reviews"}]'],
    ["%UPSTREAM_METADATA(istio:workload)%", "reviews-v1;default;reviews;v1;c"],
    ["%FILTER_STATE(peer:FIELD:workload)% %FILTER_STATE(text:PLAIN)% %FILTER_STATE(none)%", "productpage plain -"],
    ["%FILTER_CHAIN_NAME% %VIRTUAL_HOST_NAME% %CONNECTION_ID%", "chain reviews:9080 7"],
    ["%ACCESS_LOG_TYPE% %REQUESTED_SERVER_NAME(HOST_FIRST)%", "DownstreamEnd reviews"],
    ["%DOWNSTREAM_TLS_VERSION%", "-"],
    ["%LOCAL_REPLY_BODY%", "-"],
    ["%TRACE_ID% %CUSTOM_FLAGS% %UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID% %DOWNSTREAM_PEER_CHAIN_SERIALS%", "- - - -"],
  ])("%s", (format, expected) => {
    expect(text(format)).toBe(expected);
  });

  it("gives each line an id of its own", () => {
    const ids = text("%UNIQUE_ID% %UNIQUE_ID%").split(" ");
    expect(ids[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(ids[0]).not.toBe(ids[1]);
  });

  it.each(['COALESCE({"operators":[]})'])("refuses %s with the reason and what to use instead", (operator) => {
    const faults: { message: string }[] = [];
    compileText(`%${operator}%`, parts, "at", faults as never[]);
    expect(faults[0]?.message).toMatch(/^%.*%: .*(; | not )/);
    expect(faults[0]?.message).not.toContain("unknown operator");
  });

  it("prints flags in bit order, short and long", () => {
    const info = stream();
    info.setFlag(ResponseFlag.FaultInjected | ResponseFlag.DelayInjected | ResponseFlag.UpstreamRequestTimeout);
    expect(text("%RESPONSE_FLAGS% %RESPONSE_FLAGS_LONG%", info)).toBe(
      "UT,DI,FI UpstreamRequestTimeout,DelayInjected,FaultInjected",
    );
  });

  it("keeps details one word", () => {
    const info = stream();
    info.responseCodeDetails = "a b c";
    info.upstreamTransportFailure = "delayed connect error";
    expect(text("%RESPONSE_CODE_DETAILS% %UPSTREAM_TRANSPORT_FAILURE_REASON%", info)).toBe(
      "a_b_c delayed_connect_error",
    );
  });

  it("knows gRPC statuses by name and number", () => {
    const info = stream();
    info.requestHeaders = headersOf({ "content-type": "application/grpc" });
    info.responseTrailers = headersOf({ "grpc-status": "4" });
    const format = "%GRPC_STATUS% %GRPC_STATUS(SNAKE_STRING)% %GRPC_STATUS_NUMBER%";
    expect(text(format, info)).toBe("DeadlineExceeded DEADLINE_EXCEEDED 4");
    expect(text(format)).toBe("- - -");
  });

  it.each([
    "%NOPE%",
    "%REQ%",
    "%REQ()%",
    "50% off",
    "%START_TIME(%Q)%",
    "%COMMON_DURATION(A:B)%",
    "%CEL%",
    "%CEL(x +)%",
  ])("refuses %s", (format) => {
    const faults: { path: string }[] = [];
    compileText(format, parts, "at", faults as never[]);
    expect(faults).toHaveLength(1);
    expect(faults[0]?.path).toBe("at");
  });
});

describe("a JSON line", () => {
  it("keeps the types of values that are one operator, null where they are missing", () => {
    expect(
      json({
        code: "%RESPONSE_CODE%",
        path: "%REQ(:PATH)%",
        none: "%REQ(NONE)%",
        mixed: "%RESPONSE_CODE%/%REQ(NONE)%",
        deep: { list: ["x", "%BYTES_SENT%", true, 3] },
      }),
    ).toBe('{"code":200,"path":"/a?b=1&c","none":null,"mixed":"200/-","deep":{"list":["x",5,true,3]}}\n');
  });

  it("leaves missing values out when asked", () => {
    expect(json({ a: "%REQ(NONE)%", b: "%BYTES_SENT%", c: "x%REQ(NONE)%" }, stream(), true)).toBe('{"b":5,"c":"x"}\n');
  });

  it("is always valid JSON, whatever bytes a peer sent", () => {
    const info = stream();
    info.requestHeaders = headersOf({ a: 'q"\\\t', b: Buffer.from("ö").toString("latin1"), c: "\xff\xfe" });
    const line = json({ a: "%REQ(A)%", b: "%REQ(B)%", c: "%REQ(C)%" }, info);
    const parsed = JSON.parse(Buffer.from(line, "latin1").toString("utf8"));
    expect(parsed).toEqual({ a: 'q"\\\t', b: "ö", c: "\u00ff\u00fe" });
  });

  it("may have text beyond ASCII in its format", () => {
    expect(Buffer.from(json({ ключ: "значение" }), "latin1").toString("utf8")).toBe('{"ключ":"значение"}\n');
  });
});

describe("filters of an access log", () => {
  const logged = (filter: object, status = 200) => {
    const test = new TestProxy({
      routeConfig: routesTo([{ match: { prefix: "/" }, directResponse: { status } }]),
      accessLog: [textLog("x", filter)],
    });
    test.request({ "x-a": "1" });
    return test.log().length === 1;
  };
  const status = (op: string, defaultValue: number) => ({
    statusCodeFilter: { comparison: { op, value: { defaultValue, runtimeKey: "k" } } },
  });

  it("compare the status", () => {
    expect(logged(status("GE", 500), 503)).toBe(true);
    expect(logged(status("GE", 500), 499)).toBe(false);
    expect(logged(status("EQ", 200))).toBe(true);
    expect(logged(status("LE", 199))).toBe(false);
  });

  it("look at flags, headers and health checks", () => {
    expect(logged({ responseFlagFilter: { flags: ["NR"] } })).toBe(false);
    expect(logged({ responseFlagFilter: {} })).toBe(false);
    expect(logged({ headerFilter: { header: { name: "x-a", stringMatch: { exact: "1" } } } })).toBe(true);
    expect(logged({ notHealthCheckFilter: {} })).toBe(true);
  });

  it("combine", () => {
    const [yes, no] = [status("EQ", 200), status("EQ", 500)];
    expect(logged({ andFilter: { filters: [yes, no] } })).toBe(false);
    expect(logged({ orFilter: { filters: [yes, no] } })).toBe(true);
  });

  it("log flagged requests only when asked", () => {
    const test = new TestProxy({
      routeConfig: routesTo([]),
      accessLog: [textLog("%RESPONSE_FLAGS%", { responseFlagFilter: { flags: ["NR", "UH"] } })],
    });
    test.request();
    expect(test.log()).toEqual(["NR"]);
  });

  it("that are not known are faults", () => {
    const make = () => new TestProxy({ routeConfig: routesTo([]), accessLog: [textLog("x", { traceableFilter: {} })] });
    expect(make).toThrow(/accessLog\[0\]\.filter/);
  });
});
