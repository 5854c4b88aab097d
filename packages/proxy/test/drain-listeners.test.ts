import { once } from "node:events";
import { Agent, type IncomingHttpHeaders, request } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { VirtualClock } from "@mixerless/clock";
import { formatFault } from "@mixerless/wire";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createProxy, type Proxy as DataPlane, decodeBootstrap } from "../src/index.ts";

const IP = "127.0.0.1";
const HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
const DRAIN_TIME = 45_000;

let clock: VirtualClock;
let proxy: DataPlane;
let admin = 0;
let agent: Agent;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, IP);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function listener(name: string, trafficDirection: string) {
  const typedConfig = {
    "@type": HCM,
    statPrefix: name,
    routeConfig: {
      virtualHosts: [
        { name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, directResponse: { status: 200 } }] },
      ],
    },
    httpFilters: [{ name: "envoy.filters.http.router", typedConfig: { "@type": ROUTER } }],
  };
  return {
    name,
    trafficDirection,
    address: { socketAddress: { address: IP, portValue: 0 } },
    filterChains: [{ filters: [{ name: "envoy.filters.network.http_connection_manager", typedConfig }] }],
  };
}

beforeEach(async () => {
  admin = await freePort();
  const decoded = decodeBootstrap({
    node: { id: "sidecar~127.0.0.1~a.default~default.svc.cluster.local", cluster: "a" },
    admin: { address: { socketAddress: { address: IP, portValue: admin } } },
    staticResources: { listeners: [listener("in", "INBOUND"), listener("out", "OUTBOUND")] },
  });
  if (decoded.faults !== undefined) throw new Error(decoded.faults.map(formatFault).join("\n"));
  clock = new VirtualClock();
  agent = new Agent({ keepAlive: true });
  proxy = createProxy({
    bootstrap: decoded.message,
    clock,
    extensions: {},
    log: () => {},
    random: () => 0.5,
    uuid: () => "id",
    onQuit: () => {},
    version: "test",
    drainTime: DRAIN_TIME,
  });
  await proxy.start();
});

afterEach(async () => {
  agent.destroy();
  await proxy.close();
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function send(port: number, path: string, method = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request({ host: IP, port, path, method, agent: port === admin ? undefined : agent }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    call.on("error", reject).end();
  });
}

const portOf = (name: string) => Number(/:(\d+)$/.exec(proxy.listenerAddress(name) ?? "")?.[1]);
const drain = (query: string) => send(admin, `/drain_listeners${query}`, "POST");

it("graceful: the next response on an open connection and the first on a new one say close, until the drain time", async () => {
  const [inbound, outbound] = [portOf("in"), portOf("out")];
  expect((await send(inbound, "/")).headers.connection).not.toBe("close");
  expect(await drain("?inboundonly&graceful")).toMatchObject({ status: 200, body: "OK\n" });
  expect((await send(admin, "/ready")).body).toBe("DRAINING\n");
  expect((await send(inbound, "/")).headers.connection).toBe("close");
  expect((await send(inbound, "/")).headers.connection).toBe("close");
  expect((await send(outbound, "/")).headers.connection).not.toBe("close");
  clock.advance(DRAIN_TIME);
  await expect(send(inbound, "/")).rejects.toThrow("ECONNREFUSED");
  expect((await send(outbound, "/")).status).toBe(200);
});

it("at once: nothing is accepted any more, and open connections go on", async () => {
  const port = portOf("in");
  await send(port, "/");
  expect((await drain("")).status).toBe(200);
  const open = await send(port, "/");
  expect(open.headers.connection).not.toBe("close");
  agent.destroy();
  await expect(send(port, "/")).rejects.toThrow("ECONNREFUSED");
  expect(JSON.parse((await send(admin, "/listeners?format=json")).body)).toMatchObject({
    listener_statuses: [{ status: "stopped" }, { status: "stopped" }],
  });
});

it("graceful with skip_exit: listeners stay after the drain time", async () => {
  await drain("?graceful&skip_exit");
  clock.advance(2 * DRAIN_TIME);
  expect((await send(portOf("out"), "/")).headers.connection).toBe("close");
});

it("refuses skip_exit alone, and any method but POST", async () => {
  expect(await drain("?skip_exit")).toMatchObject({ status: 400, body: "skip_exit requires graceful\n" });
  expect((await send(admin, "/drain_listeners")).status).toBe(405);
  expect((await send(admin, "/ready")).body).toBe("LIVE\n");
});
