import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { VirtualClock } from "@mixerless/clock";
import { MetricStore, parseExposition } from "@mixerless/metrics";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AgentSeries } from "./agent-series.ts";
import { MergedSeries } from "./merged-series.ts";

const OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8";

let clock: VirtualClock;
let agent: AgentSeries;
let proxy: MetricStore;
let logs: string[];
const servers: Server[] = [];

beforeEach(() => {
  clock = new VirtualClock();
  agent = new AgentSeries(clock);
  proxy = new MetricStore({ clock });
  logs = [];
  proxy.counter({ name: "istio_requests_total", help: "Requests." }).series(["code"], ["200"]).add(3);
  proxy
    .histogram({ name: "took", help: "Time.", buckets: [1, 5] })
    .series([], [])
    .record(2);
});

afterEach(() => {
  agent.close();
  proxy.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** Applications that answer so, and their merged series. */
async function merged(...listeners: RequestListener[]): Promise<MergedSeries> {
  const targets = [];
  for (const listener of listeners) {
    const server = createServer(listener).listen(0, "127.0.0.1");
    servers.push(server);
    await once(server, "listening");
    targets.push({ port: (server.address() as AddressInfo).port, path: "/metrics?x=1" });
  }
  return new MergedSeries({ clock, log: (line) => logs.push(line), agent, proxy, host: "127.0.0.1", targets });
}

async function scrape(series: MergedSeries, headers: IncomingHttpHeaders = {}) {
  const { contentType, body } = await series.scrape(headers);
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return { contentType, text: Buffer.concat(pieces).toString("utf8") };
}

const says =
  (text: string, type = "text/plain; version=0.0.4"): RequestListener =>
  (_request, response) => {
    response.setHeader("content-type", type);
    response.end(text);
  };

function failures(): string {
  return /istio_agent_scrape_failures_total\{type="application"\} (\d+)/.exec(agent.store.text())?.[1] ?? "none";
}

describe("merged series", () => {
  it("are agent, proxy and application, in this order, as text", async () => {
    const { contentType, text } = await scrape(await merged(says("# TYPE shop_sales counter\nshop_sales 7")));
    expect(contentType).toBe("text/plain; version=0.0.4; charset=utf-8");
    const order = ["istio_agent_scrapes_total 1", 'istio_requests_total{code="200"} 3', "shop_sales 7\n"];
    const places = order.map((line) => text.indexOf(line));
    expect(places).not.toContain(-1);
    expect([...places].sort((a, b) => a - b)).toEqual(places);
    expect(text).not.toContain("# EOF");
    expect(parseExposition(text)).not.toHaveProperty("faults");
  });

  it("are OpenMetrics when the application answers so, with one EOF, exemplars and timestamps kept", async () => {
    const body =
      '# TYPE shop_sales counter\n# HELP shop_sales Sold.\nshop_sales_total{k="v"} 7 1700000000.5 # {trace_id="abc"} 1 1700000000\n# EOF\n';
    const { contentType, text } = await scrape(await merged(says(body, OPENMETRICS)));
    expect(contentType).toBe(OPENMETRICS);
    expect(text.match(/# EOF/g)).toHaveLength(1);
    expect(text.endsWith("# EOF\n")).toBe(true);
    const parsed = parseExposition(text, { format: "openmetrics" });
    expect(parsed).not.toHaveProperty("faults");
    if ("faults" in parsed) return;
    expect(parsed.families.get("istio_requests")?.type).toBe("counter");
    const sale = parsed.samples.find((sample) => sample.name === "shop_sales_total");
    expect(sale).toMatchObject({ value: 7, timestamp: 1_700_000_000_500, exemplar: { labels: { trace_id: "abc" } } });
    // The bounds are those of the text format, else every change of format would start new series.
    expect(text).toContain('took_bucket{le="5"} 1');
  });

  it("keep both where application and proxy have a family of one name", async () => {
    const { text } = await scrape(await merged(says("# TYPE istio_requests_total gauge\nistio_requests_total 1\n")));
    expect(text.match(/# TYPE istio_requests_total/g)).toHaveLength(2);
    expect(text).toContain("\nistio_requests_total 1\n");
  });

  it("pass the scraper's wishes on to the application, but never ask it to compress", async () => {
    let seen: IncomingHttpHeaders = {};
    let url = "";
    const series = await merged((request, response) => {
      seen = request.headers;
      url = request.url ?? "";
      response.end("a 1\n");
    });
    const wishes = { accept: OPENMETRICS, "user-agent": "Prometheus/3", "x-prometheus-scrape-timeout-seconds": "5" };
    await scrape(series, { ...wishes, "accept-encoding": "gzip", cookie: "secret" });
    expect(seen).toMatchObject({ ...wishes, "accept-encoding": "identity" });
    expect(seen).not.toHaveProperty("cookie");
    expect(url).toBe("/metrics?x=1");
  });

  it.each<[string, RequestListener, RegExp]>([
    ["an error", (_request, response) => void response.writeHead(500).end("oh"), /its status is 500/],
    ["a redirect", (_request, response) => void response.writeHead(302, { location: "/" }).end(), /its status is 302/],
    ["a web page", says("<html>", "text/html"), /it is text\/html, not the text format/],
    ["a web page that claims to be text", says("\n <html>"), /it begins with "<"/],
    ["JSON", says('{"a":1}', "application/json"), /it is application\/json/],
    ["bytes", says("a\0b"), /NUL bytes/],
    [
      "what was not asked for",
      (_request, response) => void response.writeHead(200, { "content-encoding": "gzip" }).end("x"),
      /encoded as gzip/,
    ],
    [
      "half of it",
      (_request, response) => {
        response.writeHead(200, { "content-length": "100" });
        response.write("a 1\n", () => response.destroy());
      },
      /in the middle|aborted|hang up|ECONNRESET/,
    ],
  ])("do without an application that answers with %s", async (_what, listener, reason) => {
    const series = await merged(listener);
    const { contentType, text } = await scrape(series, { accept: OPENMETRICS });
    expect(contentType).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(text).toContain('istio_requests_total{code="200"} 3');
    expect(text).toContain('istio_agent_scrape_failures_total{type="application"} 1');
    expect(logs).toEqual([expect.stringMatching(reason)]);
    await scrape(series);
    expect([failures(), logs.length]).toEqual(["2", 1]);
  });

  it("do without an application that is not there", async () => {
    const series = await merged(says("a 1\n"));
    for (const server of servers) server.close();
    expect((await scrape(series)).text).toContain("istio_requests_total");
    expect(failures()).toBe("1");
  });

  it("do without an application that is too slow for the scraper, leaving it time to take the rest", async () => {
    let asked = () => {};
    const whenAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const series = await merged(() => asked());
    const answer = scrape(series, { "x-prometheus-scrape-timeout-seconds": "5" });
    await whenAsked;
    clock.advance(3999);
    await new Promise((resolve) => setImmediate(resolve));
    expect(failures()).toBe("0");
    clock.advance(1);
    expect((await answer).text).toContain("istio_requests_total");
    expect([failures(), logs]).toEqual(["1", [expect.stringContaining("longer than 4000 ms")]]);
  });

  it("do without an application whose answer has no end", async () => {
    const series = await merged((_request, response) => {
      const line = Buffer.from("a 1\n".repeat(64 * 1024));
      const more = () => {
        while (response.write(line));
        response.once("drain", more);
      };
      more();
    });
    expect((await scrape(series)).text).not.toContain("\na 1");
    expect(logs).toEqual([expect.stringContaining("larger than 10485760 bytes")]);
  });

  it("ask a stuck application four times at once at most; later scrapes get the rest at once", async () => {
    let asked = 0;
    let allAsked = () => {};
    const whenAsked = new Promise<void>((resolve) => {
      allAsked = resolve;
    });
    const series = await merged(() => {
      if (++asked === 4) allAsked();
    });
    const stuck = [1, 2, 3, 4].map(() => scrape(series));
    await whenAsked;
    expect((await scrape(series)).text).toContain("istio_requests_total");
    expect([asked, failures()]).toEqual([4, "1"]);
    clock.advance(8000);
    await Promise.all(stuck);
    expect(failures()).toBe("5");
  });
});

describe("the series of several endpoints", () => {
  const text = (name: string) => says(`${name} 1\n`);
  const open = (name: string, end = "# EOF\n") => says(`# TYPE ${name} gauge\n${name} 1\n${end}`, OPENMETRICS);
  const late =
    (listener: RequestListener): RequestListener =>
    (request, response) =>
      void setImmediate(() => setImmediate(() => listener(request, response)));

  it("stand in the order in which they were declared, whichever answers first", async () => {
    const { text: body } = await scrape(await merged(late(text("a")), text("b"), late(text("c"))));
    expect(body.endsWith("a 1\nb 1\nc 1\n")).toBe(true);
  });

  it.each<[string, RequestListener[], boolean]>([
    ["all in OpenMetrics", [open("a"), open("b", "# EOF\r\n")], true],
    ["text first", [text("a"), open("b")], false],
    ["text second", [open("a"), text("b")], false],
    ["the first one broken", [says("", "text/html"), open("b")], true],
  ])("have one format: %s", async (_what, listeners, openMetrics) => {
    const answer = await scrape(await merged(...listeners));
    expect(answer.contentType.startsWith("application/openmetrics-text")).toBe(openMetrics);
    expect(answer.text.match(/# EOF/g)?.length ?? 0).toBe(openMetrics ? 1 : 0);
    expect(answer.text).not.toContain("\r");
  });
});
