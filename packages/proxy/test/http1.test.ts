import { createHash, randomBytes } from "node:crypto";
import { VirtualClock } from "@mixerless/clock";
import { afterEach, describe, expect, it } from "vitest";
import { eventually, RawClient, turn } from "./raw-client.ts";
import { type OriginConnection, RawOrigin } from "./raw-origin.ts";
import { WholeProxy } from "./whole-proxy.ts";

const closing: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(manager: object = {}) {
  const origin = await RawOrigin.listen();
  closing.push(() => origin.close());
  const proxy = await WholeProxy.start({ originPort: origin.port, clock: new VirtualClock(), manager });
  closing.push(() => proxy.close());
  const client = async () => {
    const one = await RawClient.connect(proxy.port);
    closing.push(() => one.close());
    return one;
  };
  return { origin, proxy, client };
}

/** Answers each request without a body with its path. */
function echoPaths(origin: RawOrigin): void {
  const answered = new Map<OriginConnection, number>();
  origin.onData = (connection) => {
    const paths = [...connection.received.matchAll(/^\w+ (\S+) HTTP\/1\.1\r\n(?:.+\r\n)*\r\n/gm)].map(
      (match) => match[1],
    );
    for (const path of paths.slice(answered.get(connection) ?? 0)) {
      connection.send(`HTTP/1.1 200 OK\r\ncontent-length: ${path?.length}\r\n\r\n${path}`);
    }
    answered.set(connection, paths.length);
  };
}

const head = (connection: OriginConnection | undefined) =>
  connection?.received.split("\r\n\r\n")[0]?.split("\r\n") ?? [];

describe("requests that are sound", () => {
  it("may be pipelined: answered one by one, in order", async () => {
    const { origin, client } = await start();
    echoPaths(origin);
    const one = await client();
    const paths = Array.from({ length: 50 }, (_, i) => `/${i}`);
    one.send(paths.map((path) => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`).join(""));
    await one.until(({ received }) => received.endsWith("\r\n\r\n/49"));
    expect([...one.received.matchAll(/\r\n\r\n(\/\d+)/g)].map((match) => match[1])).toEqual(paths);
    expect(origin.connections, "one after the other over one connection").toHaveLength(1);
  });

  it("may name their target in absolute form, which overrules the host", async () => {
    const { origin, client } = await start();
    echoPaths(origin);
    const one = await client();
    one.send("GET http://b:8080/x?y HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    expect(await one.toEnd()).toMatch(/\/x\?y$/);
    expect(head(origin.connections[0]).slice(0, 2)).toEqual(["GET /x?y HTTP/1.1", "host: b:8080"]);
  });

  it("lose what belongs to their hop, and gain what the next one is told", async () => {
    const { origin, client } = await start({ useRemoteAddress: true, via: "mesh" });
    echoPaths(origin);
    const one = await client();
    const fields = ["Connection: close, X-Hop", "Keep-Alive: 5", "Proxy-Connection: close", "TE: gzip, trailers"];
    const mine = ["X-Hop: 1", "X-Envoy-Retry-On: 5xx", "X-Forwarded-For: 1.1.1.1", "X-Request-Id: mine", "X-Mine: 1"];
    one.send(`GET / HTTP/1.1\r\nHost: a\r\n${[...fields, ...mine].join("\r\n")}\r\n\r\n`);
    const answer = await one.toEnd();
    const sent = head(origin.connections[0]);
    expect(sent.slice(2).sort()).toEqual([
      "te: trailers",
      "via: mesh",
      "x-envoy-external-address: 127.0.0.1",
      "x-forwarded-for: 1.1.1.1,127.0.0.1",
      "x-forwarded-proto: http",
      "x-mine: 1",
      "x-request-id: id-1",
    ]);
    expect(answer).toMatch(/\r\nserver: envoy\r\n/);
    expect(answer).toMatch(/\r\nvia: mesh\r\n/);
    expect(answer).toMatch(/\r\nconnection: close\r\n/);
  });

  it("of HTTP/1.0 are refused, or served where that is allowed", async () => {
    const refusing = await start();
    const first = await refusing.client();
    first.send("GET / HTTP/1.0\r\nhost: a\r\n\r\n");
    expect(await first.toEnd()).toMatch(/^HTTP\/1\.1 426 Upgrade Required\r\n/);
    expect(refusing.origin.connections).toEqual([]);
    const options = { acceptHttp10: true, defaultHostForHttp10: "default" };
    const serving = await start({ httpProtocolOptions: options });
    echoPaths(serving.origin);
    const second = await serving.client();
    second.send("GET /old HTTP/1.0\r\n\r\n");
    expect(await second.toEnd()).toMatch(/^HTTP\/1\.0 200 OK\r\n[\s\S]*connection: close\r\n\r\n\/old$/);
    expect(head(serving.origin.connections[0]).slice(0, 2)).toEqual(["GET /old HTTP/1.1", "host: default"]);
  });
});

describe("bodies", () => {
  it("in chunks reach the other side with their trailers, both ways", async () => {
    const { origin, client } = await start();
    origin.onData = (connection) => {
      if (!connection.received.endsWith("x-sum: 1\r\n\r\n")) return;
      connection.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-back: 2\r\n\r\n");
    };
    const one = await client();
    one.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n");
    await one.sendByteByByte("3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nx-sum: 1\r\n\r\n");
    expect(await one.toEnd()).toMatch(/\r\n\r\n3\r\nabc\r\n0\r\nx-back: 2\r\n\r\n$/);
    const [, body] = /\r\n\r\n([\s\S]*)$/.exec(origin.connections[0]?.received ?? "") ?? [];
    expect(body?.replace(/(^|\r\n)[0-9a-f]+\r\n/g, "")).toMatch(/^abcde\r\n?x-sum: 1\r\n\r\n$|^abcdex-sum: 1\r\n\r\n$/);
  });

  it("are waited for by 100-continue, which the proxy gives itself or leaves to the origin", async () => {
    for (const proxy100Continue of [false, true]) {
      const { origin, client } = await start({ proxy100Continue });
      origin.onData = (connection, piece) => {
        if (piece.includes("expect: 100-continue")) connection.send("HTTP/1.1 100 Continue\r\nx-from: origin\r\n\r\n");
        if (connection.received.endsWith("abc")) connection.send("HTTP/1.1 204 No Content\r\n\r\n");
      };
      const one = await client();
      one.send("PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\nexpect: 100-continue\r\n\r\n");
      await one.until(({ received }) => received.endsWith("\r\n\r\n"));
      const from = proxy100Continue ? "x-from: origin\r\n" : "";
      expect(one.received).toBe(`HTTP/1.1 100 Continue\r\n${from}\r\n`);
      one.send("abc");
      await one.until(({ received }) => /\r\n\r\nHTTP\/1\.1 204 [\s\S]*\r\n\r\n$/.test(received));
    }
  });

  it("may follow early hints", async () => {
    const { origin, client } = await start({ proxy100Continue: true });
    origin.onData = (connection) => {
      connection.send("HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    };
    const one = await client();
    one.send("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    expect(await one.toEnd()).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nlink: <\/a\.css>\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  });

  it("that the client breaks off are never completed", async () => {
    const { origin, proxy, client } = await start();
    const one = await client();
    one.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n");
    await eventually(() => origin.connections[0]?.received.includes("abc") === true);
    one.close();
    await eventually(() => origin.connections[0]?.closed === true || origin.connections[0]?.ended === true);
    expect(origin.connections[0]?.received).not.toContain("0\r\n\r\n");
    expect(await proxy.log(1)).toEqual(["0 DC downstream_remote_disconnect POST /"]);
  });
});

describe("heads that are slow or too long", () => {
  it("get 408 at the limit, nothing forwarded, whatever trickles in", async () => {
    const { origin, proxy, client } = await start({ requestHeadersTimeout: "5s" });
    const one = await client();
    one.send("GET / HTTP/1.1\r\nhost: a\r\nx");
    await eventually(() => proxy.stat("downstream_cx_active") === 1);
    for (let second = 0; second < 6; second++) {
      one.send(": 1\r\nx");
      for (let i = 0; i < 10; i++) await turn();
      proxy.clock.advance(1001);
    }
    expect(await one.toEnd()).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n[\s\S]*connection: close\r\n/);
    expect(origin.connections).toEqual([]);
    expect([proxy.stat("downstream_rq_header_timeout"), proxy.stat("downstream_cx_protocol_error")]).toEqual([1, 0]);
    expect(await proxy.log(1)).toEqual(["408 - request_header_timeout GET /"]);
  });

  it("get 408 after ten seconds where no limit was set", async () => {
    const { proxy, client } = await start();
    const one = await client();
    one.send("GET /");
    await eventually(() => proxy.stat("downstream_cx_rx_bytes_total") > 0 || proxy.stat("downstream_cx_active") === 1);
    for (let i = 0; i < 20; i++) await turn();
    proxy.clock.advance(10_100);
    expect(await one.toEnd()).toMatch(/^HTTP\/1\.1 408 /);
  });

  it("get 431 at the limit that is set, before their end is there", async () => {
    const { origin, proxy, client } = await start({ maxRequestHeadersKb: 4 });
    const one = await client();
    one.send(`GET / HTTP/1.1\r\nhost: a\r\nx: ${"a".repeat(5000)}`);
    expect(await one.toEnd()).toMatch(/^HTTP\/1\.1 431 /);
    expect([origin.connections.length, proxy.stat("downstream_cx_protocol_error")]).toEqual([0, 1]);
    expect(await proxy.log(1)).toEqual(["431 DPE http1.headers_too_large GET /"]);
  });

  it("may be as long as Envoy's limit allows, the request line too", async () => {
    const { origin, client } = await start();
    echoPaths(origin);
    const one = await client();
    const path = `/${"a".repeat(50_000)}`;
    one.send(`GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
    expect((await one.toEnd()).endsWith(path)).toBe(true);
  });
});

describe("connections", () => {
  it("end when they were idle for as long as configured, and not while a request waits", async () => {
    const { origin, proxy, client } = await start({ commonHttpProtocolOptions: { idleTimeout: "60s" } });
    const [idle, busy] = [await client(), await client()];
    busy.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await eventually(() => origin.connections.length === 1 && origin.connections[0]?.received !== "");
    proxy.clock.advance(60_100);
    expect(await idle.toEnd()).toBe("");
    expect([busy.ended, proxy.stat("downstream_cx_idle_timeout")]).toEqual([false, 1]);
    origin.connections[0]?.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    await busy.until(({ received }) => received.endsWith("\r\n\r\n"));
  });

  it("last as long as configured: the next response says so, and an idle one is closed after the drain time", async () => {
    const options = { commonHttpProtocolOptions: { maxConnectionDuration: "60s" }, drainTimeout: "5s" };
    const { origin, proxy, client } = await start(options);
    echoPaths(origin);
    const [idle, used] = [await client(), await client()];
    await eventually(() => proxy.stat("downstream_cx_active") === 2);
    proxy.clock.advance(60_100);
    used.send("GET /last HTTP/1.1\r\nhost: a\r\n\r\nGET /more HTTP/1.1\r\nhost: a\r\n\r\n");
    expect(await used.toEnd()).toMatch(/connection: close\r\n\r\n\/last$/);
    expect([idle.ended, proxy.stat("downstream_cx_max_duration_reached")]).toEqual([false, 2]);
    proxy.clock.advance(5100);
    expect(await idle.toEnd()).toBe("");
  });

  it("carry as many requests as configured, and say so with the last", async () => {
    const { origin, proxy, client } = await start({ commonHttpProtocolOptions: { maxRequestsPerConnection: 2 } });
    echoPaths(origin);
    const one = await client();
    one.send("GET /1 HTTP/1.1\r\nhost: a\r\n\r\nGET /2 HTTP/1.1\r\nhost: a\r\n\r\nGET /3 HTTP/1.1\r\nhost: a\r\n\r\n");
    const answer = await one.toEnd();
    expect(answer.match(/connection: close/g)).toHaveLength(1);
    expect(answer.endsWith("/2")).toBe(true);
    expect(proxy.stat("downstream_cx_max_requests_reached")).toBe(1);
  });
});

const WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const accept = (key: string) =>
  createHash("sha1")
    .update(key + WEBSOCKET_GUID)
    .digest("base64");

/** One WebSocket frame (RFC 6455 §5.2), masked as a client's must be, or plain. */
function frame(opcode: number, payload: Buffer, mask: Buffer | null): string {
  const { length } = payload;
  const extended = length < 126 ? [length] : [126, length >> 8, length & 0xff];
  extended[0] = (extended[0] ?? 0) | (mask === null ? 0 : 0x80);
  const body = mask === null ? payload : payload.map((byte, i) => byte ^ (mask[i % 4] ?? 0));
  return Buffer.concat([Buffer.from([0x80 | opcode, ...extended]), mask ?? Buffer.alloc(0), body]).toString("latin1");
}

/** The payloads of the whole frames in `bytes`. */
function payloads(text: string): { opcode: number; payload: Buffer }[] {
  const bytes = Buffer.from(text, "latin1");
  const frames: { opcode: number; payload: Buffer }[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const opcode = bytes.readUInt8(at) & 0x0f;
    const masked = bytes.readUInt8(at + 1) >= 0x80;
    let length = bytes.readUInt8(at + 1) & 0x7f;
    let from = at + 2;
    if (length === 126) {
      if (from + 2 > bytes.length) break;
      length = bytes.readUInt16BE(from);
      from += 2;
    }
    const mask = masked ? bytes.subarray(from, from + 4) : Buffer.alloc(4);
    if (masked) from += 4;
    if (from + length > bytes.length) break;
    const payload = Buffer.from(bytes.subarray(from, from + length)).map((byte, i) => byte ^ (mask[i % 4] ?? 0));
    frames.push({ opcode, payload: Buffer.from(payload) });
    at = from + length;
  }
  return frames;
}

/** A WebSocket server by hand: echoes every message in upper case, ends when told so. */
function serveWebSocket(origin: RawOrigin): void {
  const done = new Map<OriginConnection, number>();
  origin.onData = (connection) => {
    const at = connection.received.indexOf("\r\n\r\n");
    if (at < 0) return;
    if (!done.has(connection)) {
      const key = /^sec-websocket-key: (.+)\r$/m.exec(connection.received)?.[1] ?? "";
      done.set(connection, 0);
      connection.send(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept(key)}\r\n\r\n`,
      );
    }
    const frames = payloads(connection.received.slice(at + 4));
    for (const { opcode, payload } of frames.slice(done.get(connection))) {
      if (opcode === 8) {
        connection.send(frame(8, payload, null));
        connection.socket.end();
      } else {
        connection.send(frame(opcode, Buffer.from(payload.toString("latin1").toUpperCase(), "latin1"), null));
      }
    }
    done.set(connection, frames.length);
  };
}

const HANDSHAKE = (key: string) =>
  `GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`;

describe("a WebSocket", () => {
  const manager = { upgradeConfigs: [{ upgradeType: "websocket" }] };

  it("passes: handshake, messages both ways, the closing of both ends", async () => {
    const { origin, proxy, client } = await start(manager);
    serveWebSocket(origin);
    const one = await client();
    const key = randomBytes(16).toString("base64");
    // The first message comes with the handshake, before the upgrade was granted.
    const mask = randomBytes(4);
    one.send(HANDSHAKE(key) + frame(1, Buffer.from("early"), mask));
    const frames = () => payloads(one.received.slice(one.received.indexOf("\r\n\r\n") + 4));
    await one.until(({ received }) => received.includes("\r\n\r\n") && frames().length === 1);
    expect(one.received).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
    expect(one.received).toContain(`sec-websocket-accept: ${accept(key)}\r\n`);
    expect(one.received).toMatch(/\r\nconnection: upgrade\r\nupgrade: websocket\r\n/i);
    const texts = ["hello", "x".repeat(20_000), "bye"];
    for (const text of texts) one.send(frame(1, Buffer.from(text), randomBytes(4)));
    await one.until(() => frames().length === 4);
    expect(frames().map(({ payload }) => payload.toString())).toEqual(["EARLY", "HELLO", "X".repeat(20_000), "BYE"]);
    const counts = ["downstream_cx_upgrades_total", "downstream_cx_upgrades_active"];
    expect(counts.map((name) => proxy.stat(name))).toEqual([1, 1]);
    one.send(frame(8, Buffer.from([3, 232]), randomBytes(4)));
    await one.until(({ ended }) => ended);
    one.socket.end();
    await eventually(() => proxy.stat("downstream_cx_active") === 0);
    expect(counts.map((name) => proxy.stat(name))).toEqual([1, 0]);
    expect(await proxy.log(1)).toEqual(["101 - via_upstream GET /chat"]);
    expect(origin.connections).toHaveLength(1);
  });

  it("stays open however long it is silent, where streams have no idle limit", async () => {
    const { origin, proxy, client } = await start({ ...manager, streamIdleTimeout: "0s" });
    serveWebSocket(origin);
    const one = await client();
    one.send(HANDSHAKE("a"));
    await one.until(({ received }) => received.includes("\r\n\r\n"));
    proxy.clock.advance(24 * 3_600_000);
    const before = one.received.length;
    one.send(frame(1, Buffer.from("still"), randomBytes(4)));
    await one.until(({ received }) => received.length > before);
    expect(payloads(one.received.slice(before)).map(({ payload }) => payload.toString())).toEqual(["STILL"]);
  });

  it("is refused where upgrades are not allowed, and what was sent ahead is nobody's", async () => {
    const { origin, proxy, client } = await start();
    const one = await client();
    one.send(`${HANDSHAKE("a")}GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n`);
    expect(await one.toEnd()).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
    expect([origin.connections.length, proxy.stat("downstream_rq_ws_on_non_ws_route")]).toEqual([0, 1]);
    expect(await proxy.log(1)).toEqual(["403 - upgrade_failed GET /chat"]);
  });

  it("that the origin declines gets the origin's answer, and the connection ends", async () => {
    const { origin, client } = await start(manager);
    origin.onData = (connection) => connection.send("HTTP/1.1 400 Bad Request\r\ncontent-length: 3\r\n\r\nno!");
    const one = await client();
    one.send(`${HANDSHAKE("a")}GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n`);
    expect(await one.toEnd()).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*connection: close\r\n\r\nno!$/);
    expect(origin.connections.map(({ received }) => received.includes("/smuggled"))).toEqual([false]);
  });
});
