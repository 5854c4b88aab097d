import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import { VirtualClock } from "@mixerless/clock";
import { afterEach, describe, expect, it } from "vitest";
import { eventually, RawClient, turn } from "./raw-client.ts";
import { WholeProxy } from "./whole-proxy.ts";

// The short form of load/main.mjs, which shows the memory of a proxy that has a process to itself.

const closing: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const origin: Server = createServer(answer);
  await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    origin.closeAllConnections();
    origin.close();
  });
  const address = origin.address();
  if (address === null || typeof address === "string") throw new Error("a TCP server has a port");
  const manager = { commonHttpProtocolOptions: { idleTimeout: "60s" } };
  const proxy = await WholeProxy.start({ originPort: address.port, clock: new VirtualClock(), manager });
  closing.push(() => proxy.close());
  return proxy;
}

async function connect(proxy: WholeProxy): Promise<RawClient> {
  const client = await RawClient.connect(proxy.port);
  closing.push(() => client.close());
  return client;
}

describe("many connections that do nothing", () => {
  it("are kept, each still good for a request, until they were idle for too long", async () => {
    const proxy = await start((_request, response) => response.end("ok"));
    const clients = await Promise.all(Array.from({ length: 200 }, () => connect(proxy)));
    for (let round = 1; round <= 2; round++) {
      for (const client of clients) client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
      await Promise.all(
        clients.map((client) => client.until(({ received }) => received.split("\r\n\r\nok").length > round)),
      );
      proxy.clock.advance(30_000);
    }
    expect(proxy.stat("downstream_cx_active")).toBe(200);
    proxy.clock.advance(31_000);
    await Promise.all(clients.map((client) => client.toEnd()));
    await eventually(() => proxy.stat("downstream_cx_active") === 0);
    expect([proxy.stat("downstream_cx_idle_timeout"), proxy.stat("downstream_cx_destroy")]).toEqual([200, 200]);
  }, 30_000);
});

const BLOCK = randomBytes(64 * 1024);
const MIB = 1024 * 1024;

/** Sends blocks for as long as somebody takes them, to 1 GiB. */
class Fountain {
  sent = 0;
  stopped = false;

  flow(response: ServerResponse): void {
    const more = () => {
      while (this.sent < 1024 * MIB) {
        this.sent += BLOCK.length;
        if (!response.write(BLOCK)) return;
      }
    };
    response.on("drain", more);
    response.on("close", () => {
      this.stopped = true;
    });
    more();
  }
}

/** Resolves when `value` has not changed for a while. */
async function settled(value: () => number): Promise<number> {
  let last = value();
  for (let same = 0; same < 100; ) {
    await turn();
    same = value() === last ? same + 1 : 0;
    last = value();
  }
  return last;
}

describe("clients that do not read", () => {
  it("stop their upstreams, which go on when they read, and end when they go", async () => {
    const fountains: Fountain[] = [];
    const proxy = await start((_request, response) => {
      const fountain = new Fountain();
      fountains.push(fountain);
      response.setHeader("content-length", 1024 * MIB);
      fountain.flow(response);
    });
    const clients = await Promise.all(Array.from({ length: 2 }, () => connect(proxy)));
    for (const { socket } of clients) {
      socket.removeAllListeners("data").pause();
      socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    }
    await eventually(() => fountains.length === clients.length);
    const stopped = await settled(() => fountains.reduce((sum, { sent }) => sum + sent, 0));
    expect(stopped, "the system's buffers and little more").toBeLessThan(clients.length * 160 * MIB);
    await Promise.all(clients.map(({ socket }) => readsRight(socket, 100 * MIB)));
    expect(fountains.reduce((sum, { sent }) => sum + sent, 0)).toBeGreaterThan(stopped);
    for (const client of clients) client.close();
    await eventually(() => fountains.every((fountain) => fountain.stopped));
    const next = request({ port: proxy.port, host: "127.0.0.1", agent: false });
    next.on("error", () => {}).end();
    await eventually(() => fountains.length === clients.length + 1);
    next.destroy();
  }, 30_000);
});

describe("an origin that does not read", () => {
  it("stops the client, and gets all of the body when it reads", async () => {
    const [sent, got] = [createHash("sha1"), createHash("sha1")];
    let incoming: IncomingMessage | null = null;
    const proxy = await start((request) => {
      incoming = request;
    });
    const client = await connect(proxy);
    const length = 200 * MIB;
    let left = length;
    client.send(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${length}\r\n\r\n`);
    const more = () => {
      while (left > 0) {
        left -= BLOCK.length;
        sent.update(BLOCK);
        if (!client.socket.write(BLOCK)) return;
      }
    };
    client.socket.on("drain", more);
    more();
    await eventually(() => incoming !== null);
    expect(await settled(() => left), "the client had to stop").toBeGreaterThan(0);
    const held = incoming as IncomingMessage | null;
    await new Promise((resolve) => held?.on("data", (chunk: Buffer) => got.update(chunk)).on("end", resolve));
    expect(got.digest("hex")).toBe(sent.digest("hex"));
  }, 30_000);
});

/** Reads a body made of blocks, as much as asked for, and checks it. */
function readsRight(socket: RawClient["socket"], length: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = -1;
    let head = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      let bytes = chunk;
      if (seen < 0) {
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf("\r\n\r\n");
        if (end < 0) return;
        seen = 0;
        bytes = head.subarray(end + 4);
      }
      for (let at = 0; at < bytes.length; ) {
        const from = seen % BLOCK.length;
        const size = Math.min(BLOCK.length - from, bytes.length - at);
        if (BLOCK.compare(bytes, at, at + size, from, from + size) !== 0)
          reject(new Error(`wrong after ${seen} bytes`));
        seen += size;
        at += size;
      }
      if (seen < length) return;
      socket.removeAllListeners("data").pause();
      resolve();
    });
    socket.resume();
  });
}

/** Sends a body of `length` bytes and compares what comes back. */
function comesBack(port: number, length: number, sized: boolean): Promise<boolean> {
  const [sent, got] = [createHash("sha1"), createHash("sha1")];
  return new Promise((resolve, reject) => {
    const headers = sized ? { "content-length": length } : {};
    const outgoing = request({ port, host: "127.0.0.1", method: "POST", agent: false, headers }, (incoming) => {
      incoming.on("data", (chunk: Buffer) => got.update(chunk));
      incoming.on("end", () => resolve(sent.digest("hex") === got.digest("hex")));
    });
    let left = length;
    const more = () => {
      while (left > 0) {
        const bytes = randomBytes(Math.min(100_003, left));
        left -= bytes.length;
        sent.update(bytes);
        if (!outgoing.write(bytes)) return;
      }
      outgoing.end();
    };
    outgoing.on("error", reject).on("drain", more);
    more();
  });
}

describe("large bodies", () => {
  it("pass both ways, several at once, sized and in chunks, each byte right", async () => {
    const proxy = await start((incoming, response) => {
      const length = incoming.headers["content-length"];
      if (length !== undefined) response.setHeader("content-length", length);
      incoming.pipe(response);
    });
    const bodies = Array.from({ length: 4 }, (_, i) => comesBack(proxy.port, 8 * MIB, i % 2 === 0));
    expect(await Promise.all(bodies)).toEqual([true, true, true, true]);
    expect(proxy.stat("downstream_rq_rx_reset")).toBe(0);
  }, 30_000);
});
