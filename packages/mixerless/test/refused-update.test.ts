import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createBootstrap } from "@mixerless/agent";
import { SystemClock } from "@mixerless/clock";
import { createProxy, type Proxy as DataPlane, decodeBootstrap } from "@mixerless/proxy";
import { formatFault } from "@mixerless/wire";
import { ClusterSchema } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import { ListenerSchema } from "@mixerless/wire/envoy/config/listener/v3/listener";
import { createXdsServer, MapSource, TypeUrl, type XdsServer } from "@mixerless/xds";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freePorts } from "../src/demo/address-plan.ts";
import { fetchPage } from "./fetch-page.ts";
import { HCM, IDENTITY, IP, pack, ROUTER } from "./small-mesh.ts";

const TYPED_STRUCT = "type.googleapis.com/xds.type.v3.TypedStruct";
const clock = new SystemClock();
const source = new MapSource();
let origin: Server;
let server: XdsServer;
let proxy: DataPlane;
let port = 0;

function cluster(change: object = {}): void {
  const originPort = (origin.address() as AddressInfo).port;
  const message = pack(ClusterSchema, {
    name: "origin",
    type: "STATIC",
    connectTimeout: "1s",
    loadAssignment: {
      clusterName: "origin",
      endpoints: [
        { lbEndpoints: [{ endpoint: { address: { socketAddress: { address: IP, portValue: originPort } } } }] },
      ],
    },
    ...change,
  });
  source.set("origin", message);
}

function listener(change: object = {}): void {
  const manager = {
    "@type": HCM,
    statPrefix: "in",
    routeConfig: {
      virtualHosts: [
        { name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: "origin" } }] },
      ],
    },
    httpFilters: [{ name: "envoy.filters.http.router", typedConfig: { "@type": ROUTER } }],
    ...change,
  };
  const message = pack(ListenerSchema, {
    name: "door",
    address: { socketAddress: { address: IP, portValue: port } },
    filterChains: [{ filters: [{ name: "envoy.filters.network.http_connection_manager", typedConfig: manager }] }],
  });
  source.set("door", message);
}

beforeAll(async () => {
  origin = createServer((_request, response) => response.end("served")).listen(0, IP);
  await new Promise((wake) => origin.once("listening", wake));
  const [adminPort = 0, prometheusPort = 0, healthPort = 0, statusPort = 0, doorPort = 0] = await freePorts(5);
  port = doorPort;
  cluster();
  listener();
  server = createXdsServer({ source, clock, address: `${IP}:0` });
  const [host = "", discoveryPort = ""] = (await server.start()).split(":");
  const addresses = { ip: IP, adminPort, prometheusPort, healthPort, statusPort, sourceIp: null };
  const discovery = { host, port: Number(discoveryPort) };
  const bootstrap = decodeBootstrap(createBootstrap(IDENTITY, { ...addresses, discovery }, {}));
  if (bootstrap.faults !== undefined) throw new Error(bootstrap.faults.map(formatFault).join("\n"));
  proxy = createProxy({
    bootstrap: bootstrap.message,
    clock,
    extensions: {},
    log: () => {},
    random: Math.random,
    uuid: () => "00000000-0000-4000-8000-000000000000",
    onQuit: () => {},
    version: "test",
  });
  await proxy.start();
  await proxy.whenReady;
});

afterAll(async () => {
  await proxy?.close();
  await server?.close(10);
  origin?.close();
});

function watch(typeUrl: string) {
  return server
    .connections()[0]
    ?.status()
    .watches.find((candidate) => candidate.typeUrl === typeUrl);
}

/** Sends what changed; resolves with the reason of a refusal, or `accepted`. */
async function push(typeUrl: string): Promise<string> {
  const before = watch(typeUrl)?.sent?.nonce;
  server.push(source.takeChanges());
  for (;;) {
    const { sent, acked, nacked } = watch(typeUrl) ?? {};
    if (sent?.nonce !== before && nacked?.nonce === sent?.nonce) return nacked?.message ?? "";
    if (sent?.nonce !== before && acked?.nonce === sent?.nonce) return "accepted";
    await new Promise((wake) => setImmediate(wake));
  }
}

it.each([
  {
    what: "a listener with a filter that nobody knows",
    typeUrl: TypeUrl.listener,
    change: () => listener({ httpFilters: [{ name: "no.such.filter", typedConfig: { "@type": TYPED_STRUCT } }] }),
    names: [/^door: /, /filterChains\[0\]\.filters\[0\]\.typedConfig\.httpFilters/],
  },
  {
    what: "a listener whose filters never answer",
    typeUrl: TypeUrl.listener,
    change: () => listener({ httpFilters: [] }),
    names: [/^door: /, /httpFilters/],
  },
  {
    what: "a cluster with a feature that this data plane lacks",
    typeUrl: TypeUrl.cluster,
    change: () => cluster({ lbSubsetConfig: {} }),
    names: [/^origin: /, /lbSubsetConfig/],
  },
  {
    what: "bytes that are no message",
    typeUrl: TypeUrl.cluster,
    change: () =>
      source.set("origin", {
        $typeName: "google.protobuf.Any",
        typeUrl: TypeUrl.cluster,
        value: Uint8Array.from([0xff, 0xff]),
      }),
    names: [/^origin: 2 bytes are not/],
  },
])("$what is refused by resource and field, and the old one serves on", async ({ typeUrl, change, names }) => {
  expect((await fetchPage(`http://${IP}:${port}/`)).body).toBe("served");
  change();
  const message = await push(typeUrl);
  for (const name of names) expect(message).toMatch(name);
  expect((await fetchPage(`http://${IP}:${port}/`)).body).toBe("served");
  cluster();
  listener();
  expect(await push(typeUrl)).toBe("accepted");
  expect((await fetchPage(`http://${IP}:${port}/`)).body).toBe("served");
});
