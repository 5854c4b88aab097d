import { createHash, randomBytes } from "node:crypto";
import http from "node:http";
import net from "node:net";
import { DeadlineWheel, SystemClock } from "@mixerless/clock";
import { afterEach, describe, expect, it } from "vitest";
import { createMemoryNetwork } from "../transport/memory-network.ts";
import type { Transport, TransportHandler } from "../transport/transport.ts";
import { createTransportFactory } from "../transport/transport-factory.ts";
import { createHttp1ClientCodec, createHttp1ServerCodec } from "./http1-codec.ts";
import { BareProxy } from "./testing/bare-proxy.ts";

const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

function listen(server: net.Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as net.AddressInfo).port));
    closing.push(() => {
      server.close();
      if (server instanceof http.Server) server.closeAllConnections();
    });
  });
}

/** A proxy over sockets in front of an HTTP server of Node's; small watermarks, so that backpressure happens. */
async function proxied(origin: http.RequestListener) {
  const clock = new SystemClock();
  const wheel = new DeadlineWheel(clock);
  const factory = createTransportFactory({ highWatermark: 128 * 1024 });
  const originServer = http.createServer(origin);
  const target = { host: "127.0.0.1", port: await listen(originServer) };
  const proxy = new BareProxy(createHttp1ServerCodec({ clock, wheel }), createHttp1ClientCodec(), factory, target);
  const port = await listen(net.createServer((socket) => proxy.accept(factory.accept(socket))));
  closing.push(() => {
    wheel.close();
    for (const connection of proxy.open) connection.close();
  });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
  closing.push(() => agent.destroy());
  return { port, agent, proxy, originServer };
}

interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

function request(options: http.RequestOptions, body: Buffer[] = []): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = http.request({ host: "127.0.0.1", ...options }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", reject);
      incoming.on("end", () => {
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks) });
      });
    });
    outgoing.on("error", reject);
    for (const part of body) outgoing.write(part);
    outgoing.end();
  });
}

const sha1 = (bytes: Buffer) => createHash("sha1").update(bytes).digest("hex");

describe("a bare proxy between Node's client and server", () => {
  it("carries hundreds of requests over a few connections", async () => {
    const { port, agent, proxy } = await proxied((incoming, response) => {
      response.setHeader("x-path", incoming.url ?? "");
      response.end(incoming.method);
    });
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, i) =>
        request({ port, agent, path: `/${i}`, method: i % 3 === 0 ? "POST" : "GET" }),
      ),
    );
    answers.forEach(({ status, headers, body }, i) => {
      expect([status, headers["x-path"], body.toString()]).toEqual([200, `/${i}`, i % 3 === 0 ? "POST" : "GET"]);
    });
    expect(proxy.open.size).toBeLessThanOrEqual(4);
  });

  it("carries large bodies both ways at once, chunked and sized, unharmed", async () => {
    const { port, agent } = await proxied((incoming, response) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("end", () => {
        const body = Buffer.concat(chunks);
        if (incoming.url === "/sized") response.setHeader("content-length", body.length);
        for (let at = 0; at < body.length; at += 100_000) response.write(body.subarray(at, at + 100_000));
        response.end();
      });
    });
    const bodies = Array.from({ length: 4 }, () => Array.from({ length: 40 }, () => randomBytes(200_003)));
    const answers = await Promise.all(
      bodies.map((body, i) => request({ port, agent, method: "POST", path: i % 2 === 0 ? "/sized" : "/" }, body)),
    );
    expect(answers.map(({ body }) => sha1(body))).toEqual(bodies.map((body) => sha1(Buffer.concat(body))));
  }, 30_000);

  it("passes 100-continue and trailers through", async () => {
    const { port, agent, originServer } = await proxied(() => {});
    let continued = false;
    originServer.on("checkContinue", (incoming: http.IncomingMessage, response: http.ServerResponse) => {
      response.writeContinue();
      incoming.resume().on("end", () => {
        response.setHeader("trailer", "x-sum");
        response.write("body");
        response.addTrailers({ "x-sum": incoming.trailers["x-in"] ?? "" });
        response.end();
      });
    });
    const trailers = await new Promise<NodeJS.Dict<string>>((resolve, reject) => {
      const headers = { expect: "100-continue", "transfer-encoding": "chunked", te: "trailers" };
      const outgoing = http.request({ host: "127.0.0.1", port, agent, method: "POST", headers }, (incoming) => {
        incoming.resume().on("end", () => resolve(incoming.trailers));
      });
      outgoing.on("continue", () => {
        continued = true;
        outgoing.write("x");
        outgoing.addTrailers({ "x-in": "7" });
        outgoing.end();
      });
      outgoing.on("error", reject).flushHeaders();
    });
    expect([continued, trailers]).toEqual([true, { "x-sum": "7" }]);
  });

  it("carries an upgraded connection", async () => {
    const { port, originServer } = await proxied(() => {});
    originServer.on("upgrade", (_request, socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n");
      socket.on("data", (chunk: Buffer) => socket.write(chunk.toString().toUpperCase()));
      socket.on("end", () => socket.end("bye"));
    });
    const text = await new Promise<string>((resolve, reject) => {
      const headers = { connection: "upgrade", upgrade: "echo" };
      const outgoing = http.request({ host: "127.0.0.1", port, headers });
      outgoing.on("error", reject).end();
      outgoing.on("upgrade", (_response, socket) => {
        let received = "";
        socket.on("data", (chunk: Buffer) => {
          received += chunk.toString();
          if (received === "HELLO") socket.end();
        });
        socket.on("end", () => resolve(received));
        socket.write("hello");
      });
    });
    expect(text).toBe("HELLObye");
  });

  it("does not let a client that breaks off leave a deaf connection behind", async () => {
    const { port, agent } = await proxied((incoming, response) => {
      if (incoming.url === "/large") response.end(Buffer.alloc(20_000_000));
      else response.end("ok");
    });
    await Promise.all(
      Array.from({ length: 8 }, () => {
        return new Promise<void>((resolve) => {
          const socket = net.connect(port, "127.0.0.1", () => socket.write("GET /large HTTP/1.1\r\nhost: a\r\n\r\n"));
          socket.once("data", () => {
            socket.pause();
            socket.resetAndDestroy();
          });
          socket.on("close", () => resolve());
        });
      }),
    );
    const answers = await Promise.all(Array.from({ length: 20 }, () => request({ port, agent, path: "/" })));
    expect(answers.every(({ body }) => body.toString() === "ok")).toBe(true);
  });

  it("answers a malformed request so that the client sees it, though it goes on sending", async () => {
    const { port } = await proxied((_incoming, response) => response.end());
    const text = await new Promise<string>((resolve, reject) => {
      const socket = net.connect(port, "127.0.0.1");
      let received = "";
      socket.on("data", (chunk) => {
        received += chunk.toString();
      });
      socket.on("error", reject).on("end", () => resolve(received));
      socket.write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\ntransfer-encoding: chunked\r\n\r\n");
      socket.write(Buffer.alloc(200_000, "x"));
    });
    expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*http1\.content_length_and_chunked_not_allowed/);
  });
});

describe("a bare proxy in memory", () => {
  it("needs neither sockets nor time", async () => {
    const network = createMemoryNetwork();
    const clock = new SystemClock();
    const wheel = new DeadlineWheel(clock);
    const target = { host: "10.0.0.2", port: 80 };
    const codec = createHttp1ServerCodec({ clock, wheel });
    const proxy = new BareProxy(codec, createHttp1ClientCodec(), network, target);
    network.listen("10.0.0.1", 80, (transport) => proxy.accept(transport));
    network.listen("10.0.0.2", 80, (transport) => {
      const onData = () => transport.appendLatin1("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
      transport.setHandler(handler({ onData }));
    });
    const text = await new Promise<string>((resolve, reject) => {
      const connected = (transport: Transport) => {
        const onData = (buffer: Buffer, start: number, end: number) => resolve(buffer.toString("latin1", start, end));
        transport.setHandler(handler({ onData }));
        transport.appendLatin1("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
      };
      network.connect({ host: "10.0.0.1", port: 80 }, {}, connected, reject);
    });
    expect(text).toBe("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
    wheel.close();
  });
});

function handler(parts: Partial<TransportHandler>): TransportHandler {
  return { onData: () => {}, onDrain: () => {}, onEnd: () => {}, onClose: () => {}, ...parts };
}
