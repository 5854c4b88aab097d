import { createHash } from "node:crypto";
import { once } from "node:events";
import { rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { DirectSockets } from "./direct-socket.ts";
import { createMemoryNetwork } from "./memory-network.ts";
import type { Transport, TransportHandler } from "./transport.ts";
import { type ConnectTarget, createTransportFactory, type TransportFactory } from "./transport-factory.ts";

const closing: { close(): void }[] = [];

afterEach(() => {
  for (const server of closing.splice(0)) server.close();
});

function handler(parts: Partial<TransportHandler>): TransportHandler {
  return { onData: () => {}, onDrain: () => {}, onEnd: () => {}, onClose: () => {}, ...parts };
}

function listen(server: net.Server): Promise<number> {
  closing.push(server);
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as net.AddressInfo).port));
  });
}

function connect(factory: ReturnType<typeof createTransportFactory>, target: ConnectTarget, localAddress?: string) {
  return new Promise<Transport>((resolve, reject) => factory.connect(target, { localAddress }, resolve, reject));
}

/** Forwards all bytes between two transports, with backpressure and half-close. */
function splice(from: Transport, to: Transport, onClose: () => void = () => {}): TransportHandler {
  return handler({
    onData: (buffer, start, end) => {
      if (!to.writable) {
        from.destroy();
        return;
      }
      to.append(buffer, start, end);
      if (to.congested) from.pause();
    },
    onDrain: () => to.resume(),
    onEnd: () => to.end(),
    onClose: () => {
      to.destroy();
      onClose();
    },
  });
}

/** A TCP proxy in front of `port`; resolves to its own port. */
function forwardTo(port: number, factory: TransportFactory, onUpstreamClosed: () => void = () => {}): Promise<number> {
  return listen(
    net.createServer({ allowHalfOpen: true }, (socket) => {
      const downstream = factory.accept(socket);
      factory.connect(
        { host: "127.0.0.1", port },
        {},
        (upstream) => {
          upstream.setHandler(splice(upstream, downstream, onUpstreamClosed));
          downstream.setHandler(splice(downstream, upstream));
        },
        () => downstream.destroy(),
      );
    }),
  );
}

it("finds what it needs to go around Node's streams on each Node that the tests run on", () => {
  expect(DirectSockets.detect()).not.toBeNull();
});

const WAYS = [
  { way: "around Node's streams", direct: DirectSockets.detect() },
  { way: "with Node's documented API only", direct: null },
];

describe.each(WAYS)("transports over sockets, $way", ({ direct }) => {
  it("are congested by the limit that each connection is given: more than it waits to be sent", async () => {
    const congestedAt = (transport: Transport, sizes: readonly number[]) =>
      sizes.map((size) => {
        transport.append(Buffer.alloc(size), 0, size);
        return transport.congested;
      });
    const factory = createTransportFactory({ highWatermark: 2000, direct });
    const server = net.createServer();
    const port = await listen(server);
    for (const bufferLimit of [1000, null, 0]) {
      const accepted = once(server, "connection");
      const near = await new Promise<Transport>((resolve, reject) =>
        factory.connect({ host: "127.0.0.1", port }, { bufferLimit }, resolve, reject),
      );
      const [socket] = (await accepted) as [net.Socket];
      const far = factory.accept(socket, { bufferLimit });
      const expected = [bufferLimit === 1000, bufferLimit !== 0];
      for (const transport of [near, far]) {
        expect([bufferLimit, congestedAt(transport, [1000]), congestedAt(transport, [1, 1000])]).toEqual([
          bufferLimit,
          [false],
          expected,
        ]);
        transport.destroy();
      }
    }
  });

  it("carries four downloads of 40 MB at once through the shared read buffer, unharmed", async () => {
    const size = 40 * 1024 * 1024;
    const pattern = (seed: number) => {
      const block = Buffer.alloc(1024 * 1024);
      for (let i = 0; i < block.length; i += 4) block.writeUInt32LE((i * 2654435761 + seed) >>> 0, i);
      return block;
    };
    let connections = 0;
    const origin = await listen(
      net.createServer((socket) => {
        const block = pattern(connections++);
        let left = size / block.length;
        const more = () => {
          while (left-- > 0) if (!socket.write(block)) return;
          socket.end();
        };
        socket.on("drain", more).on("error", () => {});
        more();
      }),
    );
    const port = await forwardTo(origin, createTransportFactory({ direct }));
    const expected = new Set([0, 1, 2, 3].map((seed) => digest(Array(40).fill(pattern(seed)))));
    const download = () =>
      new Promise<string>((resolve, reject) => {
        const hash = createHash("sha1");
        const socket = net.connect(port, "127.0.0.1");
        socket.on("data", (chunk) => {
          hash.update(chunk);
          // A reader that stalls makes writes go asynchronous, which is where the bug lives.
          if (chunk[0] === 7) {
            socket.pause();
            setImmediate(() => socket.resume());
          }
        });
        socket.on("end", () => resolve(hash.digest("hex"))).on("error", reject);
      });
    const digests = await Promise.all([download(), download(), download(), download()]);
    expect(new Set(digests)).toEqual(expected);
  }, 60_000);

  it("stops an upstream whose downstream can no longer be written to", async () => {
    const origin = await listen(
      net.createServer((socket) => {
        const more = () => {
          while (socket.write(Buffer.alloc(65536)));
        };
        socket.on("drain", more).on("error", () => {});
        more();
      }),
    );
    let onUpstreamClosed: () => void = () => {};
    const upstreamClosed = new Promise<void>((resolve) => {
      onUpstreamClosed = resolve;
    });
    const port = await forwardTo(origin, createTransportFactory({ direct }), onUpstreamClosed);
    const socket = net.connect(port, "127.0.0.1");
    socket.once("data", () => socket.resetAndDestroy());
    await upstreamClosed;
  });

  it("reuses a scratch only when the kernel has taken all of it: writableLength 0 means just that", async () => {
    const factory = createTransportFactory({ direct });
    let far: Transport | null = null;
    const port = await listen(
      net.createServer((socket) => {
        far = factory.accept(socket);
      }),
    );
    const near = await connect(factory, { host: "127.0.0.1", port });
    near.setHandler(handler({}));
    // The peer does not read, so some write is cut short; each message is one byte value repeated.
    let sent = 0;
    for (let value = 0; value < 200; value++) {
      near.append(Buffer.alloc(60_000, value), 0, 60_000);
      sent += 60_000;
      near.flush();
    }
    const chunks: Buffer[] = [];
    let received = 0;
    await new Promise<void>((resolve) => {
      const onData = (buffer: Buffer, start: number, end: number) => {
        chunks.push(Buffer.from(buffer.subarray(start, end)));
        received += end - start;
        if (received === sent) resolve();
      };
      far?.setHandler(handler({ onData }));
    });
    const bytes = Buffer.concat(chunks);
    for (let value = 0; value < 200; value++) {
      expect(bytes.subarray(value * 60_000, (value + 1) * 60_000).equals(Buffer.alloc(60_000, value))).toBe(true);
    }
    near.destroy();
  });

  it("lets its server know when connections end, so that it can close", async () => {
    const factory = createTransportFactory({ direct });
    const server = net.createServer((socket) => {
      const far = factory.accept(socket);
      far.setHandler(handler({ onEnd: () => far.end() }));
    });
    const port = await listen(server);
    const near = await connect(factory, { host: "127.0.0.1", port });
    near.setHandler(handler({}));
    const closed = new Promise((resolve) => server.close(resolve));
    const count = () => new Promise<number>((resolve) => server.getConnections((_, open) => resolve(open)));
    expect(await count()).toBe(1);
    near.destroy();
    await closed;
    expect(await count()).toBe(0);
  });

  it("leaves from the local address that was asked for", async () => {
    const seen = new Promise<string | undefined>((resolve) => {
      listen(net.createServer((socket) => resolve(socket.remoteAddress))).then(async (port) => {
        const near = await connect(createTransportFactory(), { host: "127.0.0.1", port }, "127.0.10.7");
        expect(near.connection.localAddress.ip).toBe("127.0.10.7");
        near.destroy();
      });
    });
    expect(await seen).toBe("127.0.10.7");
  });

  it("reports a refused connection, and arguments that Node throws for, by onFailed", async () => {
    const factory = createTransportFactory({ direct });
    const port = await listen(net.createServer());
    closing.pop()?.close();
    await expect(connect(factory, { host: "127.0.0.1", port })).rejects.toMatchObject({ code: "ECONNREFUSED" });
    const bad = connect(factory, { host: "127.0.0.1", port: 99999 });
    await expect(bad).rejects.toMatchObject({ code: "ERR_SOCKET_BAD_PORT" });
    const nowhere = connect(factory, { host: "127.0.0.1", port }, "203.0.113.1");
    await expect(nowhere).rejects.toMatchObject({ code: "EADDRNOTAVAIL" });
  });

  it("calls back no more after cancel", async () => {
    const calls: string[] = [];
    const factory = createTransportFactory({ direct });
    const port = await listen(net.createServer());
    const onConnected = () => calls.push("connected");
    factory.connect({ host: "127.0.0.1", port }, {}, onConnected, () => calls.push("failed")).cancel();
    (await connect(factory, { host: "127.0.0.1", port })).destroy();
    expect(calls).toEqual([]);
  });

  it("speaks over a Unix domain socket", async () => {
    const path = join(tmpdir(), `transport-${process.pid}.sock`);
    const factory = createTransportFactory({ direct });
    const server = net.createServer((socket) => {
      const far = factory.accept(socket);
      far.setHandler(handler({ onData: (buffer, start, end) => far.append(buffer, start, end) }));
    });
    closing.push(server);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const near = await connect(factory, { path });
    expect(near.connection.remoteAddress).toEqual({ ip: path, port: 0, text: path });
    const echoed = new Promise<string>((resolve) => {
      near.setHandler(handler({ onData: (buffer, start, end) => resolve(buffer.toString("latin1", start, end)) }));
    });
    near.appendLatin1("echo");
    expect(await echoed).toBe("echo");
    near.destroy();
    rmSync(path, { force: true });
  });

  it("wraps a TLS socket as it wraps any other", async () => {
    const psk = Buffer.alloc(32, 7);
    const common = { ciphers: "PSK", minVersion: "TLSv1.2", maxVersion: "TLSv1.2" } as const;
    const factory = createTransportFactory({ direct });
    const server = tls.createServer({ ...common, pskCallback: () => psk }, (socket) => {
      const far = factory.accept(socket, { requestedServerName: "reviews" });
      expect(far.connection.requestedServerName).toBe("reviews");
      far.setHandler(
        handler({
          onData: (buffer, start, end) => far.append(buffer, start, end),
          onEnd: () => far.end(),
        }),
      );
    });
    const port = await listen(server);
    const message = Buffer.alloc(300_000, "tls ");
    const client = tls.connect({
      ...common,
      port,
      host: "127.0.0.1",
      checkServerIdentity: () => undefined,
      pskCallback: () => ({ psk, identity: "test" }),
    });
    client.end(message);
    const chunks: Buffer[] = [];
    for await (const chunk of client) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).equals(message)).toBe(true);
  });
});

describe("MemoryNetwork", () => {
  it("connects to what listens, from the address that was asked for", async () => {
    const network = createMemoryNetwork();
    const accepted = new Promise<Transport>((resolve) => network.listen("10.0.0.1", 9080, resolve));
    const near = await new Promise<Transport>((resolve, reject) => {
      network.connect({ host: "10.0.0.1", port: 9080 }, { localAddress: "127.0.10.2" }, resolve, reject);
    });
    const far = await accepted;
    expect(far.connection.remoteAddress).toEqual(near.connection.localAddress);
    expect(near.connection.localAddress.ip).toBe("127.0.10.2");
    expect(far.connection.localAddress.text).toBe("10.0.0.1:9080");
  });

  it("refuses where nothing listens, or no longer", async () => {
    const network = createMemoryNetwork();
    network.listen("0.0.0.0", 80, () => {}).close();
    const attempt = new Promise<Transport>((resolve, reject) => {
      network.connect({ host: "10.0.0.1", port: 80 }, {}, resolve, reject);
    });
    await expect(attempt).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});

function digest(blocks: Buffer[]): string {
  const hash = createHash("sha1");
  for (const block of blocks) hash.update(block);
  return hash.digest("hex");
}
