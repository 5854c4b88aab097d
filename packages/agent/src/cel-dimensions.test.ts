import net from "node:net";
import { VirtualClock } from "@mixerless/clock";
import { parseExposition } from "@mixerless/metrics";
import { createProxy, decodeBootstrap, type Proxy as Sidecar } from "@mixerless/proxy";
import { afterEach, describe, expect, it } from "vitest";
import { BUILT_IN_STATES, createBuiltInExtensions } from "./built-in-extensions.ts";

const TYPES = "type.googleapis.com/envoy.extensions.filters";
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function typed(name: string, type: string, value: object): object {
  const typeUrl = `type.googleapis.com/${type}`;
  return { name, typedConfig: { "@type": "type.googleapis.com/udpa.type.v1.TypedStruct", typeUrl, value } };
}

/** A sidecar that answers by itself, with the statistics that are asked for. */
async function sidecar(stats: object, logs: string[]): Promise<{ proxy: Sidecar; port: number }> {
  const manager = {
    "@type": `${TYPES}.network.http_connection_manager.v3.HttpConnectionManager`,
    statPrefix: "in",
    routeConfig: {
      virtualHosts: [
        {
          name: "all",
          domains: ["*"],
          routes: [{ match: { prefix: "/" }, name: "client_route", directResponse: { status: 418 } }],
        },
      ],
    },
    httpFilters: [
      typed("istio.metadata_exchange", "io.istio.http.peer_metadata.Config", {
        downstream_discovery: [{ istio_headers: {} }],
      }),
      typed("istio.stats", "stats.PluginConfig", stats),
      { name: "envoy.filters.http.router", typedConfig: { "@type": `${TYPES}.http.router.v3.Router` } },
    ],
  };
  const bootstrap = decodeBootstrap({
    node: { id: "ratings", metadata: { WORKLOAD_NAME: "ratings-v1" } },
    staticResources: {
      listeners: [
        {
          name: "inbound",
          address: { socketAddress: { address: "127.0.0.1", portValue: 0 } },
          trafficDirection: "INBOUND",
          filterChains: [
            { filters: [{ name: "envoy.filters.network.http_connection_manager", typedConfig: manager }] },
          ],
        },
      ],
    },
  });
  if (bootstrap.faults !== undefined) throw new Error(JSON.stringify(bootstrap.faults));
  const clock = new VirtualClock();
  const proxy = createProxy({
    bootstrap: bootstrap.message,
    clock,
    extensions: createBuiltInExtensions({ clock, environment: {} }).table,
    states: BUILT_IN_STATES,
    log: (message) => logs.push(message),
    random: () => 0.5,
    uuid: () => "id",
    onQuit: () => {},
    version: "test",
  });
  closing.push(() => proxy.close());
  await proxy.start();
  const address = proxy.listenerAddress("inbound") ?? "";
  return { proxy, port: Number(address.slice(address.lastIndexOf(":") + 1)) };
}

/** A Struct with text fields and labels, in base64. */
function peerHeader(fields: Record<string, string>, labels: Record<string, string>): string {
  const tagged = (tag: number, content: Buffer) => Buffer.concat([Buffer.from([tag, content.length]), content]);
  const entry = (name: string, value: Buffer) =>
    tagged(0x0a, Buffer.concat([tagged(0x0a, Buffer.from(name)), tagged(0x12, value)]));
  const text = (value: string) => tagged(0x1a, Buffer.from(value));
  const struct = (values: Record<string, string>) =>
    Buffer.concat(Object.entries(values).map(([name, value]) => entry(name, text(value))));
  return Buffer.concat([struct(fields), entry("LABELS", tagged(0x2a, struct(labels)))]).toString("base64");
}

const PEER = peerHeader({ WORKLOAD_NAME: "productpage-v1", NAMESPACE: "default" }, { app: "productpage" });

/** Sends one request and waits for the whole answer. */
async function request(port: number, path = "/api/v1/products/12?x=1"): Promise<void> {
  const socket = net.connect(port, "127.0.0.1");
  socket.write(
    `GET ${path} HTTP/1.1\r\nhost: ratings\r\nx-tenant: büro\r\nx-envoy-peer-metadata-id: p\r\n` +
      `x-envoy-peer-metadata: ${PEER}\r\nconnection: close\r\n\r\n`,
  );
  for await (const _ of socket);
}

async function labels(stats: object, logs: string[] = []): Promise<Readonly<Record<string, string>>> {
  const { proxy, port } = await sidecar(stats, logs);
  await request(port);
  return series(proxy, "istio_requests_total")[0]?.labels ?? {};
}

function series(proxy: Sidecar, name: string) {
  const parsed = parseExposition(proxy.metrics.text());
  if ("faults" in parsed) throw new Error(JSON.stringify(parsed.faults));
  return parsed.samples
    .filter((sample) => sample.name === name)
    .map((sample) => ({ labels: { ...sample.labels }, value: sample.value }));
}

const dimension = async (text: string) => (await labels({ metrics: [{ dimensions: { extra: text } }] })).extra;

describe("CEL dimensions of the statistics", () => {
  it.each([
    ["request.method + ' ' + request.url_path", "GET /api/v1/products/12"],
    ["request.url_path.matches('^/api/v[0-9]+/products/[0-9]+$') ? 'product' : 'other'", "product"],
    ["string(response.code / 100) + 'xx'", "4xx"],
    ["response.code >= 400 && request.method == 'GET'", "true"],
    ["request.headers['x-tenant']", "büro"],
    ["'x-none' in request.headers ? request.headers['x-none'] : 'none'", "none"],
    ["request.headers['x-none']", "unknown"],
    ["'_' + xds.node.metadata['WORKLOAD_NAME']", "_ratings-v1"],
    ["'_' + node.metadata['WORKLOAD_NAME']", "_ratings-v1"],
    ["'_' + filter_state.downstream_peer.workload", "_productpage-v1"],
    ["downstream_peer.labels['app'].value + '/' + downstream_peer.namespace", "productpage/default"],
    ["xds.route_name + ',' + request.host", "client_route,ratings"],
    ["request.protocol", "HTTP/1.1"],
    ["request.duration >= duration('0s')", "true"],
    ["1 / 0", "unknown"],
    ["request.method + 1", "unknown"],
  ])("%s is %j", async (text, expected) => {
    expect(await dimension(text)).toBe(expected);
  });

  it("that do not compile make a standard label disappear, and a new one not appear, with the reason in the log", async () => {
    const logs: string[] = [];
    const wrong = { destination_app: "request.method ==", extra: "lenght(request.path)", good: "'x'" };
    const seen = await labels({ metrics: [{ dimensions: wrong }] }, logs);
    expect("destination_app" in seen).toBe(false);
    expect("extra" in seen).toBe(false);
    expect(seen.good).toBe("x");
    expect(logs.join("\n")).toMatch(/"request.method ==" does not compile: 1:18: a value is missing/);
    expect(logs.join("\n")).toMatch(/does not compile: 1:1: there is no function "lenght"/);
  });

  it("count what they cannot say, and cost the other labels nothing", async () => {
    const { proxy, port } = await sidecar({ metrics: [{ dimensions: { extra: "request.headers['x-none']" } }] }, []);
    for (let i = 0; i < 3; i++) await request(port);
    const [requests] = series(proxy, "istio_requests_total");
    expect([requests?.value, requests?.labels.extra, requests?.labels.response_code]).toEqual([3, "unknown", "418"]);
    expect(series(proxy, "mixerless_expression_errors_total")).toEqual([
      { labels: { expression: "request.headers['x-none']", use: "istio.stats" }, value: 3 },
    ]);
  });

  it("give custom metrics their values", async () => {
    const definitions = [
      { name: "path_length", value: "size(request.url_path)" },
      { name: "big", value: "response.code > 400 ? 1 : 0" },
      { name: "text", value: "request.method" },
    ];
    const { proxy, port } = await sidecar({ definitions }, []);
    await request(port);
    await request(port);
    const value = (name: string) => series(proxy, name)[0]?.value;
    expect([value("istio_path_length"), value("istio_big"), value("istio_text")]).toEqual([38, 2, 0]);
  });
});
