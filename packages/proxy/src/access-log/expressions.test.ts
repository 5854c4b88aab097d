import { describe, expect, it } from "vitest";
import { ROUTER, routesTo, TestProxy } from "../http/testing/test-proxy.ts";

const FILE = "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog";
const CEL = "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter";

const cel = (expression: string) => ({
  extensionFilter: {
    name: "envoy.access_loggers.extension_filters.cel",
    typedConfig: { "@type": CEL, expression },
  },
});

function proxy(filter: object | null, logFormat: object): TestProxy {
  const log = {
    name: "envoy.access_loggers.file",
    ...(filter === null ? {} : { filter }),
    typedConfig: { "@type": FILE, path: "log", logFormat },
  };
  const routes = [{ match: { prefix: "/" }, name: "röute", directResponse: { status: 418 } }];
  const node = { id: "sidecar~1", metadata: { NAME: "pröductpage" } };
  return new TestProxy({ routeConfig: routesTo(routes), httpFilters: [ROUTER], accessLog: [log] }, { node });
}

const PATH = { textFormatSource: { inlineString: "%REQ(:PATH)%\n" } };

/** The paths of the requests that are logged. */
function logged(filter: object, requests: readonly Record<string, string>[]): string[] {
  const test = proxy(filter, PATH);
  for (const request of requests) test.request(request);
  return (test.logs.log ?? []).map((line) => line.trim());
}

const A = { ":path": "/a?x=1", "x-user": Buffer.from("jörg").toString("latin1") };
const B = { ":path": "/b", ":method": "POST" };

describe("a CEL filter", () => {
  it.each([
    ["request.url_path == '/a'", ["/a?x=1"]],
    ["request.method == 'POST'", ["/b"]],
    ["response.code >= 400", ["/a?x=1", "/b"]],
    ["response.code < 400", []],
    ["has(request.headers.`x-user`)", ["/a?x=1"]],
    ["'x-user' in request.headers", ["/a?x=1"]],
    ["request.headers['X-User'] == 'jörg'", ["/a?x=1"]],
    ["request.headers.exists(name, request.headers[name] == 'jörg')", ["/a?x=1"]],
    ["!('x-user' in request.headers) || request.headers['x-user'].size() != 4", ["/b"]],
    ["xds.node.metadata['NAME'] == 'pröductpage' && xds.route_name == 'röute'", ["/a?x=1", "/b"]],
    ["xds.listener_direction == 2 && request.duration >= duration('0s')", ["/a?x=1", "/b"]],
    ["request.time > timestamp('2020-01-01T00:00:00Z')", ["/a?x=1", "/b"]],
    ["connection.id > 0u && upstream.request_attempt_count == 0", ["/a?x=1", "/b"]],
    // What gives no value, or none that is true or false, is not logged.
    ["request.headers['x-user'] == 'jörg'", ["/a?x=1"]],
    ["response.code", []],
    ["no.such.attribute", []],
    ["upstream.address == 'x'", []],
    ["request.method + 1 == 2", []],
  ])("%s", (expression, expected) => {
    expect(logged(cel(expression), [A, B])).toEqual(expected);
  });

  it("is one filter among others", () => {
    const status = {
      statusCodeFilter: { comparison: { op: "GE", value: { defaultValue: 400, runtimeKey: "r" } } },
    };
    const filter = { andFilter: { filters: [status, cel("request.method != 'POST'")] } };
    expect(logged(filter, [A, B])).toEqual(["/a?x=1"]);
  });

  it("counts what gives no value, by the expression", () => {
    const test = proxy(cel("request.headers['x-user'] == 'jörg'"), PATH);
    test.request(A);
    test.request(B);
    test.request(B);
    const failures =
      "mixerless_expression_errors_total{expression=\"request.headers['x-user'] == 'jörg'\",use=\"access_log\"} 2";
    expect(test.metrics.text()).toContain(failures);
  });

  it.each([
    ["request.method ==", /accessLog\[0\]\.filter\.extensionFilter\.typedConfig\.expression: 1:18: a value is missing/],
    ["lenght(request.path) > 1", /expression: 1:1: there is no function "lenght"/],
    ["", /expression: 1:1: the expression is empty/],
  ])("that does not compile is refused with its place: %j", (expression, message) => {
    expect(() => proxy(cel(expression), PATH)).toThrow(message);
  });

  it("is the only extension filter", () => {
    const other = { extensionFilter: { name: "x", typedConfig: { "@type": FILE, path: "x" } } };
    expect(() => proxy(other, PATH)).toThrow(/the extension filter x \(.*FileAccessLog\) is not supported/);
  });
});

describe("the operators", () => {
  const line = (format: object, request = A) => {
    const test = proxy(null, format);
    test.request(request);
    return test.logs.log?.[0] ?? "";
  };
  const text = (inlineString: string) => line({ textFormatSource: { inlineString } });

  it("CEL prints the value, or - where there is none", () => {
    expect(text("%CEL(request.method)% %CEL(size(request.url_path) + (1 * 2))% %CEL(upstream.address)%")).toBe(
      "GET 4 -",
    );
    expect(text("%CEL(response.code / 100 == 4 ? 'bad' : 'good'):2% %PROTOCOL%")).toBe("ba HTTP/1.1");
    expect(text("%CEL(request.headers['x-user'])%")).toBe(Buffer.from("jörg").toString("latin1"));
    expect(text("%CEL(duration('1500ms'))% %CEL(timestamp('2026-11-28T00:00:00Z'))%")).toBe(
      "1.5s 2026-11-28T00:00:00Z",
    );
  });

  it("TYPED_CEL keeps the type in JSON", () => {
    const format = {
      text: "%CEL(response.code)%",
      code: "%TYPED_CEL(response.code)%",
      big: "%TYPED_CEL(response.code >= 400)%",
      list: "%TYPED_CEL([1, 2.5, 'ü', {'a': 'ö'}])%",
      none: "%TYPED_CEL(upstream.port)%",
    };
    const json = line({ jsonFormat: format });
    expect(JSON.parse(Buffer.from(json, "latin1").toString("utf8"))).toEqual({
      text: "418",
      code: 418,
      big: true,
      list: [1, 2.5, "ü", { a: "ö" }],
      none: null,
    });
  });

  it("TYPED_CEL ends where a value has more parts than a line should", () => {
    const json = line({ jsonFormat: { huge: `%TYPED_CEL([[1]]${".map(x, [x, x, x, x])".repeat(30)})%` } });
    expect(json.length).toBeLessThan(20_000);
  });

  it("have no place in header values", () => {
    const routes = [
      {
        match: { prefix: "/" },
        directResponse: { status: 200 },
        responseHeadersToAdd: [{ header: { key: "x", value: "%CEL(request.method)%" } }],
      },
    ];
    const make = () => new TestProxy({ routeConfig: routesTo(routes), httpFilters: [ROUTER] });
    expect(make).toThrow(/expressions are evaluated in access logs only/);
  });
});
