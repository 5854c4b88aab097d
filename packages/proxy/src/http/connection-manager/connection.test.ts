import { describe, expect, it } from "vitest";
import { HeaderMap } from "../header-map.ts";
import { FilterStatus, type FilterStream, HttpFilter } from "../http-filter.ts";
import { headersOf } from "../testing/fake-server-codec.ts";
import {
  compileRoutes,
  decodeManager,
  OUTCOME_LOG,
  ROUTER,
  routesTo,
  TestProxy,
  textLog,
} from "../testing/test-proxy.ts";
import { createHttpConnectionManagerFactory } from "./factory.ts";
import { FilterIteration } from "./filter-iteration.ts";

const TO_C = routesTo([{ match: { prefix: "/" }, route: { cluster: "c" } }]);
const FIELDS = { ":method": "GET", ":path": "/", ":authority": "a", ":scheme": "http" };

describe("draining", () => {
  it("answers with connection: close from then on, and lets the idle connection be until then", () => {
    const test = new TestProxy({ routeConfig: TO_C });
    const cluster = test.clusters.add("c");
    const { codec, terminal } = test.connect();
    const before = codec.request(FIELDS);
    terminal.drain();
    cluster.last.respond(200);
    expect([before.status, before.closing, codec.closed]).toEqual([200, true, false]);
    expect(test.metrics.text()).toContain(
      'envoy_http_downstream_cx_drain_close{envoy_http_conn_manager_prefix="test"} 1',
    );
  });

  it("ends at the latest when the connection is closed", () => {
    const test = new TestProxy({ routeConfig: TO_C });
    const { codec, terminal } = test.connect();
    terminal.drain();
    terminal.close();
    expect([codec.closed, test.closed]).toEqual([true, 1]);
  });
});

describe("a new configuration", () => {
  it("counts for requests that begin from then on, also on open connections", () => {
    const direct = (text: string) =>
      routesTo([{ match: { prefix: "/" }, directResponse: { status: 200, body: { inlineString: text } } }]);
    const test = new TestProxy({ routeConfig: TO_C, accessLog: [textLog("old %RESPONSE_CODE%")] });
    const cluster = test.clusters.add("c");
    const { codec } = test.connect();
    const before = codec.request(FIELDS);
    const update = decodeManager({ routeConfig: direct("new"), accessLog: [textLog("new %RESPONSE_CODE%")] });
    expect(test.factory.update(update)).toEqual([]);
    expect(codec.request(FIELDS).body).toBe("new");
    cluster.last.respond(204);
    expect(before.status).toBe(204);
    expect(test.log()).toEqual(["new 200", "old 204"]);
  });

  it("changes nothing when it cannot be taken", () => {
    const test = new TestProxy({ routeConfig: TO_C });
    test.clusters.add("c");
    const bad = decodeManager({
      routeConfig: routesTo([{ match: { safeRegex: { regex: "(" } }, route: { cluster: "c" } }]),
    });
    expect(test.factory.update(bad).map((fault) => fault.path)).toEqual([
      "routeConfig.virtualHosts[0].routes[0].match.safeRegex.regex",
    ]);
    expect(test.request().status).toBeNull();
  });

  it("of routes by RDS is used by the next request", () => {
    const test = new TestProxy({ rds: { routeConfigName: "80", configSource: { ads: {} } }, accessLog: [OUTCOME_LOG] });
    const { codec } = test.connect();
    expect(codec.request(FIELDS).status).toBe(404);
    test.tables.set("80", compileRoutes(TO_C));
    test.clusters.add("c");
    expect(codec.request(FIELDS).status).toBeNull();
  });
});

describe("what a connection manager does not carry out", () => {
  const faults = (json: object) => {
    const made = createHttpConnectionManagerFactory(
      decodeManager({ routeConfig: TO_C, ...json }),
      new TestProxy({ routeConfig: TO_C }).context,
    );
    return made.ok ? [] : made.faults.map((fault) => fault.path);
  };
  const unknown = {
    name: "x",
    typedConfig: { "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua" },
  };

  it.each([
    [{ httpFilters: [] }, "httpFilters"],
    [{ httpFilters: [unknown, ROUTER] }, "httpFilters[0].typedConfig"],
    [{ httpFilters: [ROUTER, ROUTER] }, "httpFilters[0]"],
    [{ httpFilters: [{ name: "x" }, ROUTER] }, "httpFilters[0]"],
    [{ codecType: "HTTP3" }, "codecType"],
    [{ httpProtocolOptions: { allowChunkedLength: true } }, "httpProtocolOptions.allowChunkedLength"],
    [{ proxyStatusConfig: {} }, "proxyStatusConfig"],
    [{ upgradeConfigs: [{ upgradeType: "CONNECT" }] }, "upgradeConfigs[0].upgradeType"],
    [{ accessLog: [{ name: "x", typedConfig: unknown.typedConfig }] }, "accessLog[0].typedConfig"],
    [{ accessLog: [textLog("%NOPE%")] }, "accessLog[0].typedConfig.logFormat.textFormatSource"],
    [
      { internalAddressConfig: { cidrRanges: [{ addressPrefix: "nonsense", prefixLen: 8 }] } },
      "internalAddressConfig.cidrRanges[0]",
    ],
  ])("%j is refused at %s", (json, path) => {
    expect(faults(json)).toEqual([path]);
  });

  it("may be left out where a filter is optional", () => {
    expect(faults({ httpFilters: [{ ...unknown, isOptional: true }, ROUTER] })).toEqual([]);
  });
});

describe("a filter that waits", () => {
  class Recorder extends HttpFilter {
    readonly seen: string[] = [];
    readonly stops: Set<string>;
    constructor(stops: string[]) {
      super({} as FilterStream);
      this.stops = new Set(stops);
    }
    #note(what: string): number {
      this.seen.push(what);
      return this.stops.has(what) ? FilterStatus.Stop : FilterStatus.Continue;
    }
    override decodeHeaders(_headers: HeaderMap, end: boolean) {
      return this.#note(`headers${end ? "." : ""}`);
    }
    override decodeData(buffer: Buffer, start: number, end: number, last: boolean) {
      return this.#note(`data ${buffer.toString("latin1", start, end)}${last ? "." : ""}`);
    }
    override decodeTrailers() {
      return this.#note("trailers");
    }
    override encodeHeaders(_headers: HeaderMap, end: boolean) {
      return this.#note(`<headers${end ? "." : ""}`);
    }
    override encodeData(buffer: Buffer, start: number, end: number, last: boolean) {
      return this.#note(`<data ${buffer.toString("latin1", start, end)}${last ? "." : ""}`);
    }
  }

  class Iteration extends FilterIteration {
    paused = 0;
    readonly sent: string[] = [];
    constructor(filters: readonly HttpFilter[]) {
      super();
      filters.forEach((filter, i) => {
        filter.index = i;
      });
      this.filters = filters;
    }
    request(headers: HeaderMap, end: boolean) {
      this.decodeHeadersFrom(0, headers, end);
    }
    data(text: string, end = false) {
      const bytes = Buffer.from(text);
      this.decodeDataFrom(0, bytes, 0, bytes.length, end);
      bytes.fill(0);
    }
    trailers() {
      this.decodeTrailersFrom(0, new HeaderMap());
    }
    respond(headers: HeaderMap) {
      this.encodeHeadersFrom(this.filters.length - 1, headers, false);
    }
    respondData(text: string, end = false) {
      const bytes = Buffer.from(text);
      this.encodeDataFrom(this.filters.length - 1, bytes, 0, bytes.length, end);
    }
    protected override onRequestHeld() {
      this.paused++;
    }
    protected override onRequestReleased() {
      this.paused--;
    }
    protected override onResponseHeld() {
      this.paused += 100;
    }
    protected override onResponseReleased() {
      this.paused -= 100;
    }
    protected override sendHeaders() {
      this.sent.push("headers");
    }
    protected override sendData(buffer: Buffer, start: number, end: number, last: boolean) {
      this.sent.push(`data ${buffer.toString("latin1", start, end)}${last ? "." : ""}`);
    }
    protected override sendTrailers() {
      this.sent.push("trailers");
    }
  }

  it("holds the request, and all of it goes on in order afterwards", () => {
    const [first, second, third] = [new Recorder([]), new Recorder(["headers"]), new Recorder([])];
    const stream = new Iteration([first, second, third]);
    stream.request(headersOf({}), false);
    expect(stream.paused).toBe(1);
    stream.data("a");
    stream.data("b");
    stream.trailers();
    expect([first.seen, second.seen, third.seen]).toEqual([["headers"], ["headers"], []]);
    stream.continueDecoding(second);
    expect(third.seen).toEqual(["headers", "data a", "data b", "trailers"]);
    expect([second.seen, stream.paused]).toEqual([["headers"], 0]);
  });

  it("may be followed by another one", () => {
    const [first, second, third] = [new Recorder(["headers"]), new Recorder(["data a"]), new Recorder([])];
    const stream = new Iteration([first, second, third]);
    stream.request(headersOf({}), false);
    stream.data("a");
    stream.data("", true);
    stream.continueDecoding(first);
    expect([second.seen, third.seen]).toEqual([["headers", "data a"], ["headers"]]);
    stream.continueDecoding(first);
    stream.continueDecoding(second);
    expect(third.seen).toEqual(["headers", "data a", "data ."]);
    expect(stream.paused).toBe(0);
  });

  it("holds the response likewise", () => {
    const [first, second, last] = [new Recorder([]), new Recorder(["<headers"]), new Recorder([])];
    const stream = new Iteration([first, second, last]);
    stream.respond(headersOf({}));
    stream.respondData("x", true);
    expect([stream.sent, stream.paused]).toEqual([[], 100]);
    stream.continueEncoding(second);
    expect(stream.sent).toEqual(["headers", "data x."]);
    expect([first.seen, stream.paused]).toEqual([["<headers", "<data x."], 0]);
  });
});
