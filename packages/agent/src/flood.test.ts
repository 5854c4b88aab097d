import { once } from "node:events";
import { connect, createServer } from "node:net";
import { VirtualClock } from "@mixerless/clock";
import { createMetadataExchange, createStats } from "@mixerless/extensions";
import { createProxy, type Proxy as DataPlane, decodeBootstrap } from "@mixerless/proxy";
import { expect, it } from "vitest";

const HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
const REQUESTS = 3000;
const BUDGET = 200;

/** A proxy that answers by itself, with the exchange and the statistics, the Host standing for the service. */
async function startProxy(port: number): Promise<DataPlane> {
  const filter = (name: string, type: string, value: object) => ({
    name,
    typedConfig: {
      "@type": "type.googleapis.com/udpa.type.v1.TypedStruct",
      typeUrl: `type.googleapis.com/${type}`,
      value,
    },
  });
  const manager = {
    "@type": HCM,
    statPrefix: "flood",
    routeConfig: {
      virtualHosts: [
        { name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, directResponse: { status: 200 } }] },
      ],
    },
    httpFilters: [
      filter("istio.metadata_exchange", "io.istio.http.peer_metadata.Config", {
        downstream_discovery: [{ istio_headers: {} }],
        downstream_propagation: [{ istio_headers: {} }],
      }),
      filter("istio.stats", "stats.PluginConfig", {}),
      { name: "envoy.filters.http.router", typedConfig: { "@type": ROUTER } },
    ],
  };
  const bootstrap = decodeBootstrap({
    node: { id: "server" },
    staticResources: {
      listeners: [
        {
          name: "inbound",
          address: { socketAddress: { address: "127.0.0.1", portValue: port } },
          trafficDirection: "INBOUND",
          filterChains: [
            { filters: [{ name: "envoy.filters.network.http_connection_manager", typedConfig: manager }] },
          ],
        },
      ],
    },
  });
  if (bootstrap.faults !== undefined) throw new Error(JSON.stringify(bootstrap.faults));
  const proxy = createProxy({
    bootstrap: bootstrap.message,
    clock: new VirtualClock(),
    extensions: { "stats.PluginConfig": createStats, "io.istio.http.peer_metadata.Config": createMetadataExchange },
    log: () => {},
    random: () => 0.5,
    uuid: () => "id",
    onQuit: () => {},
    version: "test",
  });
  await proxy.start();
  return proxy;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** A Struct with one text field: `WORKLOAD_NAME`. */
function metadata(workload: string): string {
  const tagged = (tag: number, bytes: Buffer) => Buffer.concat([Buffer.from([tag, bytes.length]), bytes]);
  const value = tagged(0x1a, Buffer.from(workload));
  return tagged(0x0a, Buffer.concat([tagged(0x0a, Buffer.from("WORKLOAD_NAME")), tagged(0x12, value)])).toString(
    "base64",
  );
}

/** Sends requests that have nothing in common over one connection; resolves when all are answered with 200. */
async function flood(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  for (let i = 0; i < REQUESTS; i++) {
    text += `GET /${i} HTTP/1.1\r\nhost: service-${i}.example\r\n`;
    text += `x-envoy-peer-metadata-id: peer-${i}\r\nx-envoy-peer-metadata: ${metadata(`workload-${i}`)}\r\n\r\n`;
  }
  socket.write(text);
  let received = "";
  let answers = 0;
  for await (const chunk of socket) {
    const parts = (received + String(chunk)).split("HTTP/1.1 200 OK");
    answers += parts.length - 1;
    received = (parts.at(-1) ?? "").slice(-20);
    if (answers === REQUESTS) break;
  }
  expect(answers).toBe(REQUESTS);
}

it("keeps the series of made-up hosts, paths and peers within the budget, and counts every request", async () => {
  const port = await freePort();
  const proxy = await startProxy(port);
  proxy.metrics.configureDefaults({ budget: BUDGET });
  try {
    await flood(port);
    const families = new Map([...proxy.metrics.families()].map((family) => [family.name, family]));
    const requests = [...(families.get("istio_requests_total")?.entries() ?? [])];
    expect(requests).toHaveLength(BUDGET + 1);
    expect(requests.reduce((sum, { value }) => sum + value, 0)).toBe(REQUESTS);
    const overflow = requests.find(({ labels }) => labels.some(([name]) => name === "mixerless_overflow"));
    expect(overflow?.value).toBe(REQUESTS - BUDGET);
    // Evicted from the cache of peers long ago, and not confused with each other: the first ones have the labels that they sent.
    const workloads = requests.flatMap(({ labels }) => labels.filter(([name]) => name === "source_workload"));
    expect(new Set(workloads.map(([, value]) => value))).toEqual(
      new Set(Array.from({ length: BUDGET }, (_, i) => `workload-${i}`)),
    );
    const refused = [...(families.get("mixerless_series_overflow_total")?.entries() ?? [])];
    const counted = refused.find(({ labels }) => labels.some(([, value]) => value === "istio_requests_total"));
    expect(counted?.value).toBe(REQUESTS - BUDGET);
  } finally {
    await proxy.close();
  }
});
