import { once } from "node:events";
import { Agent, createServer, request, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { VirtualClock } from "@mixerless/clock";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WholeProxy, type WholeProxyOptions } from "./whole-proxy.ts";

const type = (name: string) => ({ "@type": `type.googleapis.com/envoy.extensions.${name}` });

/** What tells how a connection ended. */
const FORMAT =
  "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %PROTOCOL% %BYTES_RECEIVED% %BYTES_SENT% %ACCESS_LOG_TYPE%";

const TCP = {
  name: "tcp",
  typedConfig: { ...type("filters.network.tcp_proxy.v3.TcpProxy"), statPrefix: "t", cluster: "origin" },
};

let origin: Server;
let proxy: WholeProxy;

beforeEach(async () => {
  origin = createServer((_request, response) => response.end("ok")).listen(0, "127.0.0.1");
  await once(origin, "listening");
});

afterEach(async () => {
  await proxy.close();
  origin.close();
});

async function start(options: Omit<WholeProxyOptions, "originPort" | "clock">): Promise<void> {
  const { port } = origin.address() as AddressInfo;
  proxy = await WholeProxy.start({ connectionLog: FORMAT, ...options, originPort: port, clock: new VirtualClock() });
}

async function dial(): Promise<Socket> {
  const socket = connect(proxy.port, "127.0.0.1").on("error", () => {});
  await once(socket, "connect");
  return socket;
}

async function get(agent?: Agent): Promise<void> {
  const sent = request({ host: "127.0.0.1", port: proxy.port, ...(agent === undefined ? {} : { agent }) }).end();
  const [response] = await once(sent, "response");
  response.resume();
  await once(response, "end");
}

describe("the access log of a listener", () => {
  it("has one line for an HTTP connection, however many requests it carried, when it ends", async () => {
    await start({});
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    await get(agent);
    await get(agent);
    expect(await proxy.log(2)).toHaveLength(2);
    agent.destroy();
    // Bytes are those of requests there, not of the connection, as in Envoy.
    expect(await proxy.connectionLog(1)).toEqual(["0 - - HTTP/1.1 0 0 NotSet"]);
  });

  it("has what the TCP proxy learned about a connection", async () => {
    await start({
      connectionLog: `${FORMAT} %UPSTREAM_CLUSTER% %UPSTREAM_HOST% %FILTER_CHAIN_NAME%`,
      listener: { filterChains: [{ name: "raw", filters: [TCP] }] },
    });
    const socket = await dial();
    socket.write("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    socket.resume();
    await once(socket, "close");
    const { port } = origin.address() as AddressInfo;
    const [line] = await proxy.connectionLog(1);
    expect(line).toMatch(/^0 - - - 46 \d+ NotSet origin 127\.0\.0\.1:\d+ raw$/);
    expect(line).toContain(`127.0.0.1:${port} raw`);
  });

  it("says NR for a connection that no filter chain fits", async () => {
    const match = { sourcePrefixRanges: [{ addressPrefix: "10.0.0.0", prefixLen: 8 }] };
    await start({ listener: { filterChains: [{ filterChainMatch: match, filters: [TCP] }] } });
    const socket = await dial();
    await once(socket, "close");
    expect(await proxy.connectionLog(1)).toEqual(["0 NR filter_chain_not_found - 0 0 NotSet"]);
  });

  it("can be had for refused connections alone", async () => {
    const match = { destinationPort: 1 };
    const connectionFilter = { responseFlagFilter: { flags: ["NR"] } };
    await start({ connectionFilter });
    await get();
    expect(await proxy.log(1)).toHaveLength(1);
    await proxy.close();
    await start({ connectionFilter, listener: { filterChains: [{ filterChainMatch: match, filters: [TCP] }] } });
    await once(await dial(), "close");
    expect(await proxy.connectionLog(1)).toHaveLength(1);
  });

  it("has a line for a client that went away, or said nothing, before a filter chain was chosen", async () => {
    const inspector = { name: "tls", typedConfig: type("filters.listener.tls_inspector.v3.TlsInspector") };
    await start({ listener: { listenerFilters: [inspector], listenerFiltersTimeout: "2s" } });
    (await dial()).destroy();
    expect(await proxy.connectionLog(1)).toEqual(["0 - - - 0 0 NotSet"]);
    const silent = await dial();
    const closed = once(silent, "close");
    await proxy.connectionLog(2);
    await closed;
  });

  it("says why a handshake failed", async () => {
    const context = {
      ...type("transport_sockets.tls.v3.DownstreamTlsContext"),
      commonTlsContext: { tlsCertificateSdsSecretConfigs: [{ name: "default" }] },
    };
    const transportSocket = { name: "tls", typedConfig: context };
    await start({
      connectionLog: "%RESPONSE_FLAGS% %DOWNSTREAM_TRANSPORT_FAILURE_REASON% %FILTER_CHAIN_NAME%",
      listener: { filterChains: [{ name: "secure", filters: [TCP], transportSocket }] },
    });
    await once(await dial(), "close");
    const [line] = await proxy.connectionLog(1);
    expect(line).toMatch(/^- TLS_context:_\S+ secure$/);
  });

  it("is refused by field when it cannot be kept", async () => {
    await start({});
    await expect(start({ connectionLog: "%NOPE%" })).rejects.toThrow(/accessLog\[0\]\.typedConfig\.logFormat/);
  });
});
