import { DeadlineWheel, VirtualClock } from "@mixerless/clock";
import { MetricStore } from "@mixerless/metrics";
import { decodeJson, formatFault } from "@mixerless/wire";
import { ClusterSchema } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import { FilterChainSchema } from "@mixerless/wire/envoy/config/listener/v3/listener_components";
import { describe, expect, it } from "vitest";
import { createClientCodec, createServerCodecs } from "../codecs.ts";
import { Expressions } from "../expression/expressions.ts";
import { StreamExpressions } from "../expression/stream-expressions.ts";
import { ExtensionHost } from "../extension-host/extension-host.ts";
import { createGrpcClient } from "../grpc/create-grpc-client.ts";
import { ROUTER, routesTo, textLog } from "../http/testing/test-proxy.ts";
import { FilterState } from "../stream/filter-state.ts";
import { createMemoryNetwork } from "../transport/memory-network.ts";
import type { Transport } from "../transport/transport.ts";
import { ActiveClusterManager } from "../upstream/active-cluster-manager.ts";
import { GO_ON, NOTE, networkPlugin, note, on } from "../wasm/testing/plugin-chain.ts";
import { createFilterChainFactory } from "./filter-chain.ts";

const HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const TCP = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy";

/** Lets everything that waits for a turn of the event loop have it. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** One end of a memory connection, in text. */
class Peer {
  readonly transport: Transport;
  received = "";
  closed = false;
  ended = false;

  constructor(transport: Transport) {
    this.transport = transport;
    transport.setHandler({
      onData: (buffer, start, end) => {
        this.received += buffer.toString("latin1", start, end);
      },
      onDrain: () => {},
      onEnd: () => {
        this.ended = true;
      },
      onClose: () => {
        this.closed = true;
      },
    });
  }

  async send(text: string): Promise<void> {
    this.transport.appendLatin1(text.replaceAll("\n", "\r\n"));
    await settle();
  }

  /** What came since the last call, lines as in source text. */
  take(): string {
    const text = this.received.replaceAll("\r\n", "\n");
    this.received = "";
    return text;
  }
}

/** A filter chain on 127.0.0.1:15001 and an upstream on 127.0.0.2:80, all in memory. */
function world(terminal: object, before: readonly object[] = []) {
  const clock = new VirtualClock();
  const wheel = new DeadlineWheel(clock, 10);
  const network = createMemoryNetwork();
  const clientCodec = createClientCodec();
  const clusters = new ActiveClusterManager({
    clock,
    wheel,
    random: () => 0.5,
    connector: {
      connect: (target, _settings, onConnected, onFailed) =>
        network.connect({ host: target.ip, port: target.port }, {}, onConnected, onFailed),
      createHttpConnection: (transport, callbacks) => clientCodec.connect(transport, callbacks),
    },
    createTls: () => {
      throw new Error("no TLS here");
    },
    resolve: () => Promise.reject(new Error("no names here")),
  });
  const cluster = decodeJson(ClusterSchema, {
    name: "c",
    type: "STATIC",
    connectTimeout: "1s",
    loadAssignment: {
      clusterName: "c",
      endpoints: [
        { lbEndpoints: [{ endpoint: { address: { socketAddress: { address: "127.0.0.2", portValue: 80 } } } }] },
      ],
    },
  });
  const chain = decodeJson(FilterChainSchema, { filters: [...before, terminal] });
  if (cluster.faults !== undefined || chain.faults !== undefined) {
    throw new Error([...(cluster.faults ?? []), ...(chain.faults ?? [])].map(formatFault).join());
  }
  expect(clusters.set(cluster.message)).toEqual([]);
  const metrics = new MetricStore({ clock });
  const expressions = new Expressions(metrics);
  const log: string[] = [];
  const listener = { name: "l", direction: 2, filterChainName: "chain", metadata: {} };
  const extensions = new ExtensionHost(
    {},
    {
      ...{ clock, metrics, expressions, grpc: createGrpcClient(clusters, clock), node: {} },
      log: (_level, message) => log.push(message),
    },
  );
  const factory = createFilterChainFactory(chain.message.filters, {
    clock,
    wheel,
    clusters,
    routes: { get: () => null },
    filterConfigs: { subscribe: () => () => {}, gaveUp: () => {} },
    listener,
    bufferLimit: null,
    accessLogs: { file: () => ({ write: (line) => log.push(line) }) },
    metrics,
    expressions: new StreamExpressions(expressions, {}),
    extensions,
    createServerConnection: createServerCodecs(),
    random: () => 0.5,
    uuid: () => "the-id",
  });
  if (!factory.ok) throw new Error(factory.faults.map((fault) => `${fault.path}: ${fault.message}`).join());
  network.listen("127.0.0.1", 15001, (transport) => {
    factory.value.create(
      { transport, listener, filterState: new FilterState(), info: null, admission: null },
      () => {},
    );
  });
  const upstreams: Peer[] = [];
  const upstream = network.listen("127.0.0.2", 80, (transport) => upstreams.push(new Peer(transport)));
  const connect = () =>
    new Promise<Peer>((resolve, reject) =>
      network.connect({ host: "127.0.0.1", port: 15001 }, {}, (transport) => resolve(new Peer(transport)), reject),
    );
  return { clock, clusters, log, upstreams, upstream, connect, extensions };
}

const HTTP = {
  name: "hcm",
  typedConfig: {
    "@type": HCM,
    statPrefix: "test",
    serverName: "istio-envoy",
    upgradeConfigs: [{ upgradeType: "websocket" }],
    routeConfig: routesTo([{ match: { prefix: "/" }, route: { cluster: "c", timeout: "0s", prefixRewrite: "/api/" } }]),
    httpFilters: [ROUTER],
    accessLog: [
      textLog(
        "%REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DOWNSTREAM_WIRE_BYTES_RECEIVED% %DOWNSTREAM_WIRE_BYTES_SENT% %UPSTREAM_HOST%",
      ),
    ],
  },
};

describe("bytes through a filter chain", () => {
  it("leave as a request to the cluster, and come back as its response", async () => {
    const { connect, upstreams, log } = world(HTTP);
    const client = await connect();
    const request = "GET /x?y HTTP/1.1\nhost: reviews\nConnection: keep-alive\nX-Mixed: A\n\n";
    await client.send(request);
    expect(upstreams[0]?.take()).toBe(
      "GET /api/x?y HTTP/1.1\nhost: reviews\nx-mixed: A\nx-forwarded-proto: http\nx-request-id: the-id\nx-envoy-original-path: /x?y\n\n",
    );
    await upstreams[0]?.send("HTTP/1.1 200 Fine\nServer: up\ncontent-length: 3\n\nabc");
    const response = client.take();
    expect(response).toBe(
      "HTTP/1.1 200 OK\nserver: istio-envoy\ncontent-length: 3\nx-envoy-upstream-service-time: 0\ndate: Thu, 01 Jan 2026 00:00:00 GMT\n\nabc",
    );
    const [received, sent] = [request, response].map((text) => text.replaceAll("\n", "\r\n").length);
    expect(log).toEqual([`GET /api/x?y 200 - 0 3 ${received} ${sent} 127.0.0.2:80`]);
  });

  it("pass a Wasm plugin of the network before HTTP is read from them, and after it is written", async () => {
    const body = `${NOTE}(data (i32.const 0) "GET /plugin HTTP/1.1\\0d\\0ahost: a\\0d\\0a\\0d\\0a")
      ${on("downstream_data", 3, "(drop (call $proxy_set_buffer_bytes (i32.const 2) (i32.const 0) (i32.const 9999) (i32.const 0) (i32.const 33)))", GO_ON)}
      ${on("upstream_data", 3, note("u", "(local.get 2)"), GO_ON)}`;
    const { connect, upstreams, log, extensions } = world(HTTP, [networkPlugin("plugin", body)]);
    await extensions.settled();
    const client = await connect();
    await client.send("GARBAGE\n\n");
    expect(upstreams[0]?.take()).toContain("GET /api/plugin HTTP/1.1\nhost: a\n");
    await upstreams[0]?.send("HTTP/1.1 200 Fine\ncontent-length: 3\n\nabc");
    expect(client.take()).toMatch(/^HTTP\/1\.1 200 OK\n(.*\n)+\nabc$/);
    expect(log.filter((line) => line.includes(": u"))).toEqual(["wasm log plugin: u0"]);
    expect(log[0]).toMatch(/^GET \/api\/plugin 200 - 0 3 /);
  });

  it("reuse both connections", async () => {
    const { connect, upstreams } = world(HTTP);
    const client = await connect();
    for (let i = 0; i < 3; i++) {
      await client.send("POST /n HTTP/1.1\nhost: a\ncontent-length: 2\n\nhi");
      expect(upstreams[0]?.take()).toContain("\n\nhi");
      await upstreams[0]?.send("HTTP/1.1 204 No Content\n\n");
      expect(client.take()).toContain("HTTP/1.1 204 No Content\n");
    }
    expect(upstreams).toHaveLength(1);
  });

  it("may be chunked both ways", async () => {
    const { connect, upstreams, log } = world(HTTP);
    const client = await connect();
    await client.send("POST / HTTP/1.1\nhost: a\ntransfer-encoding: chunked\n\n3\nabc\n");
    await client.send("2\nde\n0\n\n");
    expect(upstreams[0]?.take()).toMatch(/transfer-encoding: chunked\n\n3\nabc\n2\nde\n0\n\n$/);
    await upstreams[0]?.send("HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\n4\nwxyz\n");
    await upstreams[0]?.send("0\n\n");
    expect(client.take()).toMatch(/\n\n4\nwxyz\n0\n\n$/);
    expect(log[0]).toMatch(/^POST \/api\/ 200 - 5 4 /);
  });

  it("that nobody can serve are answered by the proxy, and the next request is served", async () => {
    const { connect, upstreams, upstream, clusters, log } = world(HTTP);
    clusters.remove("c");
    const client = await connect();
    await client.send("GET / HTTP/1.1\nhost: a\n\n");
    expect(client.take()).toMatch(/^HTTP\/1\.1 503 Service Unavailable\n(.*\n)*content-length: 0\n/);
    await client.send("GET / HTTP/1.1\nhost: a\n\n");
    expect(client.take()).toContain("503");
    expect([upstreams.length, client.closed, log.length]).toEqual([0, false, 2]);
    upstream.close();
  });

  it("of a client that goes away end the upstream's work too", async () => {
    const { connect, upstreams, log } = world(HTTP);
    const client = await connect();
    await client.send("GET / HTTP/1.1\nhost: a\n\n");
    client.transport.destroy();
    await settle();
    expect(upstreams[0]?.ended).toBe(true);
    expect(log[0]).toMatch(/^GET \/api\/ 0 DC 0 0 /);
  });

  it("that the codec cannot understand are answered, logged and closed", async () => {
    const { connect, log } = world(HTTP);
    const client = await connect();
    await client.send("GET / HTTP/1.1\nhost: a\ncontent-length: 1\ncontent-length: 2\n\n");
    expect(client.take()).toContain("HTTP/1.1 400 Bad Request\n");
    expect(log).toHaveLength(1);
    expect(log[0]).toContain(" 400 DPE 0 ");
  });

  it("answered while they still come end with connection: close", async () => {
    const { connect, upstreams } = world(HTTP);
    const client = await connect();
    await client.send("POST / HTTP/1.1\nhost: a\ncontent-length: 10\n\nabc");
    await upstreams[0]?.send("HTTP/1.1 413 X\ncontent-length: 0\n\n");
    expect(client.take()).toContain("connection: close\n");
    await settle();
    expect([client.ended, upstreams[0]?.ended]).toEqual([true, true]);
  });

  it("of an upgrade pass in both directions until one side ends", async () => {
    const { connect, upstreams } = world(HTTP);
    const client = await connect();
    await client.send("GET / HTTP/1.1\nhost: a\nconnection: Upgrade\nupgrade: websocket\n\n");
    expect(upstreams[0]?.take()).toMatch(/connection: upgrade\n(.*\n)*upgrade: websocket\n/i);
    await upstreams[0]?.send("HTTP/1.1 101 Switching Protocols\nconnection: upgrade\nupgrade: websocket\n\n");
    expect(client.take()).toMatch(/^HTTP\/1\.1 101 Switching Protocols\n/);
    await client.send("ping");
    await upstreams[0]?.send("pong");
    expect([upstreams[0]?.take(), client.take()]).toEqual(["ping", "pong"]);
    upstreams[0]?.transport.end();
    await settle();
    expect(client.ended).toBe(true);
  });

  it("without HTTP are joined by a TCP proxy", async () => {
    const { connect, upstreams, log } = world({
      name: "tcp",
      typedConfig: {
        "@type": TCP,
        statPrefix: "t",
        cluster: "c",
        accessLog: [textLog("%BYTES_RECEIVED% %BYTES_SENT% %RESPONSE_FLAGS%")],
      },
    });
    const client = await connect();
    await client.send("hello");
    await upstreams[0]?.send("hi");
    expect([upstreams[0]?.take(), client.take()]).toEqual(["hello", "hi"]);
    client.transport.end();
    await settle();
    expect(upstreams[0]?.ended).toBe(true);
    await upstreams[0]?.send("bye");
    upstreams[0]?.transport.end();
    await settle();
    expect([client.take(), client.closed, upstreams[0]?.closed]).toEqual(["bye", true, true]);
    expect(log).toEqual(["5 5 -"]);
  });
});

describe("what cannot be a filter chain", () => {
  const faults = (filter: object) => {
    try {
      world(filter);
      return "none";
    } catch (error) {
      return error instanceof Error ? error.message : "";
    }
  };

  it("names the filter and the field", () => {
    expect(faults({ name: "x" })).toContain("filters[0]");
    expect(faults({ name: "x", typedConfig: { ...HTTP.typedConfig, codecType: "HTTP3" } })).toContain(
      "filters[0].typedConfig.codecType",
    );
    const echo = { "@type": "type.googleapis.com/envoy.extensions.filters.network.echo.v3.Echo" };
    expect(faults({ name: "x", typedConfig: echo })).toContain("cannot end a filter chain");
  });
});
