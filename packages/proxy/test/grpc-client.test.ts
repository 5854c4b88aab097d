import type { ServerHttp2Stream } from "node:http2";
import { SystemClock } from "@mixerless/clock";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TestAuthority } from "../src/tls/testing/identities.ts";
import { answer, frame, GrpcWorld, Peer } from "./grpc-world.ts";

const system = new SystemClock();
const peers: Peer[] = [];
let world: GrpcWorld;

beforeEach(() => {
  world = new GrpcWorld(system);
});

afterEach(() => {
  world.close();
  for (const peer of peers.splice(0)) peer.close();
});

async function serve(handle: (stream: ServerHttp2Stream) => void, tls: ConstructorParameters<typeof Peer>[1] = null) {
  const peer = new Peer(handle, tls);
  peers.push(peer);
  return { peer, port: await peer.listen() };
}

const echo = (stream: ServerHttp2Stream) => {
  let body = "";
  stream.on("data", (chunk: Buffer) => {
    body += chunk.toString("latin1");
  });
  stream.on("end", () => answer(stream, [body.slice(5)], { "grpc-status": "0" }));
};

describe("a call", () => {
  test("has its message framed, and gets headers, message, trailers and status in this order", async () => {
    const { peer, port } = await serve(echo);
    world.cluster([port]);
    const call = world.call({ metadata: [["x-key", "v\xe9"]], timeout: 1500 }).send("hello", true);
    expect(call.events).toEqual([]);
    expect(await call.until(4)).toEqual(["headers 200", "message hello", "trailers 0", "close 0"]);
    expect(peer.requests[0]).toMatchObject({
      ...{ ":method": "POST", ":path": "/svc/Method", ":authority": "c", ":scheme": "http" },
      ...{ "content-type": "application/grpc", te: "trailers", "grpc-timeout": "1500m", "x-key": "v\xe9" },
    });
  });

  test("of a stream goes on in both directions", async () => {
    const { port } = await serve((stream) => {
      stream.respond({ ":status": 200 }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.on("data", (chunk: Buffer) => stream.write(chunk));
      stream.on("end", () => stream.end());
    });
    world.cluster([port]);
    const call = world.call().send("1");
    await call.until(2);
    call.send("2");
    await call.until(3);
    call.stream?.end();
    expect(await call.until(5)).toEqual(["headers 200", "message 1", "message 2", "trailers 0", "close 0"]);
  });

  test("takes messages however they are cut", async () => {
    const { port } = await serve((stream) => {
      stream.respond({ ":status": 200 }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      const bytes = Buffer.concat([frame("one"), frame(""), frame("three")]);
      for (const byte of bytes) stream.write(Buffer.from([byte]));
      stream.end();
    });
    world.cluster([port]);
    const call = world.call();
    await call.closed;
    expect(call.events.slice(1, 4)).toEqual(["message one", "message", "message three"].map((m) => m.padEnd(8)));
  });

  test("ends at its time-out, by the clock", async () => {
    const { port } = await serve(() => {});
    world.cluster([port]);
    const call = world.call({ timeout: 1000 }).send("x", true);
    world.clock.advance(999);
    expect(call.events).toEqual([]);
    world.clock.advance(1);
    expect(call.events).toEqual(["close 14 upstream request timeout"]);
  });

  test("that is cancelled reports nothing more, and the peer hears of it", async () => {
    let reset: (code: number) => void = () => {};
    const seen = new Promise<number>((resolve) => {
      reset = resolve;
    });
    const { port } = await serve((stream) => {
      stream.on("close", () => reset(stream.rstCode));
      stream.respond({ ":status": 200 });
    });
    world.cluster([port]);
    const call = world.call();
    await call.until(1);
    call.stream?.cancel();
    expect(await seen).toBe(8);
    expect(call.events).toEqual(["headers 200"]);
  });
});

describe("the status", () => {
  const cases: [string, (stream: ServerHttp2Stream) => void, string][] = [
    [
      "of a response that is one only",
      (s) => s.respond({ ":status": 200, "grpc-status": "5", "grpc-message": "not%20here" }, { endStream: true }),
      "close 5 not here",
    ],
    [
      "of an HTTP answer",
      (s) => {
        s.respond({ ":status": 503 });
        s.end("<html>");
      },
      "close 14 HTTP status 503",
    ],
    [
      "of a response without one",
      (s) => {
        s.respond({ ":status": 200 });
        s.end();
      },
      "close 2 the response has no status",
    ],
    ["of a reset", (s) => s.close(11), "close 8 the peer asks for calm"],
    ["of a refused stream", (s) => s.close(7), "close 14 the peer refused the stream"],
    ["of a lost connection", (s) => s.session?.destroy(), "close 14 the connection was lost"],
    ["that can't be read", (s) => answer(s, [], { "grpc-status": "x" }), "close 2 the status can't be read"],
    [
      "of success with half a message",
      (s) => {
        s.respond({ ":status": 200 }, { waitForTrailers: true });
        s.on("wantTrailers", () => s.sendTrailers({ "grpc-status": "0" }));
        s.end(frame("half").subarray(0, 7));
      },
      "close 13 the last message is incomplete",
    ],
    [
      "of a compressed message",
      (s) => {
        s.respond({ ":status": 200 });
        s.write(Buffer.from([1, 0, 0, 0, 0]));
      },
      "close 13 a compressed message came, which nobody asked for",
    ],
    [
      "of a message that is too large",
      (s) => {
        s.respond({ ":status": 200 });
        s.write(Buffer.from([0, 127, 0, 0, 0]));
      },
      "close 8 a message is larger than 16777216 bytes",
    ],
  ];
  test.each(cases)("%s", async (_name, handle, expected) => {
    const { port } = await serve(handle);
    world.cluster([port]);
    const call = world.call().send("x", true);
    await call.closed;
    expect(call.events.at(-1)).toBe(expected);
  });

  test("of an endpoint where nobody listens, and of one that speaks another protocol", async () => {
    const { peer, port } = await serve(() => {});
    peer.close();
    world.cluster([port]);
    const call = world.call().send("x", true);
    await call.closed;
    expect(call.events).toEqual(["close 14 upstream connect error: delayed connect error: Connection refused"]);
  });

  test("RESOURCE_EXHAUSTED once too much waits for a peer", async () => {
    const { port } = await serve(() => {});
    world.cluster([port]);
    const call = world.call();
    for (let i = 0; i < 6; i++) call.send("x".repeat(1024 * 1024));
    expect(call.events).toEqual(["close 8 more than 4194304 bytes wait for the peer"]);
  });
});

describe("the cluster", () => {
  test("that isn't there, or has no healthy endpoint, lets no call begin", () => {
    expect([world.client.hasCluster("c"), world.call().stream]).toEqual([false, null]);
    world.cluster([]);
    expect([world.client.hasCluster("c"), world.call().stream]).toEqual([true, null]);
  });

  test("chooses the endpoint of each call; calls to one endpoint share a connection", async () => {
    const one = await serve(echo);
    const other = await serve(echo);
    world.cluster([one.port, other.port]);
    const calls = Array.from({ length: 10 }, () => world.call().send("x", true));
    await Promise.all(calls.map(({ closed }) => closed));
    expect([one.peer.requests.length, other.peer.requests.length]).toEqual([5, 5]);
    expect([one.peer.connections, other.peer.connections]).toEqual([1, 1]);
  });

  test("limits the calls in flight, and counts them as requests", async () => {
    const { port } = await serve(echo);
    world.cluster([port], { circuitBreakers: { thresholds: [{ maxRequests: 2 }] } });
    const [first, second, third] = [world.call(), world.call(), world.call()];
    expect([first.stream === null, second.stream === null, third.stream]).toEqual([false, false, null]);
    const stats = world.clusters.clusters[0]?.stats;
    expect(stats).toMatchObject({ upstream_rq_active: 2, upstream_rq_total: 2, upstream_rq_pending_overflow: 1 });
    first.stream?.cancel();
    second.send("x", true);
    await second.closed;
    expect(stats).toMatchObject({ upstream_rq_active: 0, upstream_cx_total: 1 });
    expect(world.call().stream).not.toBeNull();
  });

  test("limits connections", () => {
    world.cluster([1], { circuitBreakers: { thresholds: [{ maxConnections: 0 }] } });
    expect(world.call().stream).toBeNull();
    expect(world.clusters.clusters[0]?.stats).toMatchObject({ upstream_rq_active: 0, upstream_cx_overflow: 1 });
  });

  test("gets another connection after the peer said goodbye; what runs on the old one ends there", async () => {
    const held: ServerHttp2Stream[] = [];
    const { peer, port } = await serve((stream) => held.push(stream));
    world.cluster([port]);
    const first = world.call().send("x", true);
    while (held.length < 1) await new Promise(setImmediate);
    held[0]?.session?.close();
    // Answers that come after the goodbye on the same connection.
    held[0]?.respond({ ":status": 200 }, { waitForTrailers: true });
    await first.until(1);
    await new Promise(setImmediate);
    world.call().send("y", true);
    while (held.length < 2) await new Promise(setImmediate);
    expect(peer.connections).toBe(2);
    held[0]?.on("wantTrailers", () => held[0]?.sendTrailers({ "grpc-status": "0" }));
    held[0]?.end(frame("late"));
    await first.closed;
    expect(first.events).toContain("message late");
  });

  test("keeps an unused connection for a minute", async () => {
    const { peer, port } = await serve(echo);
    world.cluster([port]);
    const call = world.call().send("x", true);
    await call.closed;
    const [session] = peer.sessions;
    const gone = new Promise((resolve) => session?.once("close", resolve));
    await new Promise(setImmediate);
    world.clock.advance(60_000);
    await gone;
    expect(peer.sessions.size).toBe(0);
  });

  test("has its TLS: identities are shown and judged, whatever protocols its configuration names", async () => {
    const authority = await TestAuthority.create(system);
    const server = await authority.identity("server");
    const tls = { key: server.privateKey, cert: server.certificateChain, ca: authority.roots.trustedCa };
    const { peer, port } = await serve(echo, tls);
    world.secrets.set("default", await authority.identity("client"));
    world.secrets.set("ROOTCA", authority.roots);
    const withPeer = (account: string) => ({
      transportSocket: {
        name: "envoy.transport_sockets.tls",
        typedConfig: {
          "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
          commonTlsContext: {
            tlsCertificateSdsSecretConfigs: [{ name: "default" }],
            combinedValidationContext: {
              defaultValidationContext: {
                matchTypedSubjectAltNames: [
                  { sanType: "URI", matcher: { exact: `spiffe://cluster.local/ns/default/sa/${account}` } },
                ],
              },
              validationContextSdsSecretConfig: { name: "ROOTCA" },
            },
            alpnProtocols: ["istio", "http/1.1"],
          },
        },
      },
    });
    world.cluster([port], withPeer("server"));
    const right = world.call().send("x", true);
    await right.closed;
    expect([right.events.at(-1), peer.requests[0]?.[":scheme"]]).toEqual(["close 0", "https"]);
    world.cluster([port], withPeer("somebody-else"));
    const wrong = world.call().send("x", true);
    await wrong.closed;
    expect(wrong.events[0]).toMatch(/^close 14 upstream connect error: .*TLS error/);
    expect(peer.requests).toHaveLength(1);
  });
});
