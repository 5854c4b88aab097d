import net from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { DirectSockets } from "./direct-socket.ts";
import { createMemoryPair } from "./memory-transport.ts";
import type { Transport, TransportHandler } from "./transport.ts";
import { createTransportFactory } from "./transport-factory.ts";

/** The suite that every implementation of Transport passes. */
interface Bench {
  readonly name: string;
  /** The client's end, then the server's. */
  pair(highWatermark: number): Promise<[Transport, Transport]>;
}

const servers: net.Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const benches: Bench[] = [
  { name: "memory", pair: async (highWatermark) => createMemoryPair({ highWatermark }) },
  { name: "TCP", pair: (highWatermark) => socketPair(highWatermark, null) },
  { name: "TCP, around Node's streams", pair: (highWatermark) => socketPair(highWatermark, DirectSockets.detect()) },
];

function socketPair(highWatermark: number, direct: DirectSockets | null): Promise<[Transport, Transport]> {
  const factory = createTransportFactory({ highWatermark, direct });
  return new Promise((resolve, reject) => {
    let near: Transport | null = null;
    let far: Transport | null = null;
    const both = () => near !== null && far !== null && resolve([near, far]);
    const server = net.createServer((socket) => {
      far = factory.accept(socket);
      both();
    });
    servers.push(server);
    server.listen(0, "127.0.0.1");
    server.once("listening", () => {
      const { port } = server.address() as net.AddressInfo;
      const connected = (transport: Transport) => {
        near = transport;
        both();
      };
      factory.connect({ host: "127.0.0.1", port }, {}, connected, reject);
    });
  });
}

/** Writes down what a transport tells its handler, and checks that no call nests in another. */
class Recorder implements TransportHandler {
  readonly calls: string[] = [];
  readonly chunks: Buffer[] = [];
  received = 0;
  error: Error | null = null;
  #inside = false;
  #waiting: { until: () => boolean; resolve: () => void }[] = [];
  onDataHook: (bytes: Buffer) => void = () => {};
  onDrainHook: () => void = () => {};
  onEndHook: () => void = () => {};

  onData(buffer: Buffer, start: number, end: number): void {
    this.#call("data", () => {
      const bytes = Buffer.from(buffer.subarray(start, end));
      this.chunks.push(bytes);
      this.received += bytes.length;
      this.onDataHook(bytes);
    });
  }

  onDrain(): void {
    this.#call("drain", this.onDrainHook);
  }

  onEnd(): void {
    this.#call("end", this.onEndHook);
  }

  onClose(error: Error | null): void {
    this.error = error;
    this.#call("close", () => {});
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString("latin1");
  }

  count(call: string): number {
    return this.calls.filter((name) => name === call).length;
  }

  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ until: condition, resolve }));
  }

  /** Runs `action` as a call into the transport: no callback may come out of it. */
  outside(action: () => void): void {
    this.#inside = true;
    action();
    this.#inside = false;
  }

  #call(name: string, work: () => void): void {
    if (this.#inside) throw new Error(`${name} was called inside another call`);
    this.#inside = true;
    this.calls.push(name);
    work();
    this.#inside = false;
    for (const waiter of this.#waiting) if (waiter.until()) waiter.resolve();
  }
}

async function recorded(bench: Bench, highWatermark = 1024 * 1024) {
  const [near, far] = await bench.pair(highWatermark);
  const nearSees = new Recorder();
  const farSees = new Recorder();
  near.setHandler(nearSees);
  far.setHandler(farSees);
  return { near, far, nearSees, farSees };
}

describe.each(benches)("Transport over $name", (bench) => {
  it("delivers what was appended in one turn in order, and counts it", async () => {
    const { near, far, farSees } = await recorded(bench);
    near.appendLatin1("caf\u00e9 ");
    near.append(Buffer.from("--and more--"), 2, 10);
    await farSees.until(() => farSees.received === 13);
    expect(farSees.text).toBe("caf\u00e9 and more");
    expect([near.bytesWritten, far.bytesRead]).toEqual([13, 13]);
    expect(farSees.count("data")).toBe(1);
  });

  it("copies what is appended: the caller may reuse its buffer at once", async () => {
    const { near, farSees } = await recorded(bench);
    const mine = Buffer.from("first");
    near.append(mine, 0, 5);
    mine.fill("x");
    await farSees.until(() => farSees.received === 5);
    expect(farSees.text).toBe("first");
  });

  it("sends one message larger than any scratch unharmed", async () => {
    const { near, farSees } = await recorded(bench);
    const message = Buffer.alloc(1_000_003);
    for (let i = 0; i < message.length; i++) message[i] = (i * 31) & 0xff;
    near.append(message, 0, message.length);
    near.appendLatin1("!".repeat(100_000));
    await farSees.until(() => farSees.received === 1_100_003);
    expect(Buffer.concat(farSees.chunks).subarray(0, message.length).equals(message)).toBe(true);
  });

  it("ends in order: FIN after the data, both ways, then one close without error", async () => {
    const { near, far, nearSees, farSees } = await recorded(bench);
    near.appendLatin1("bye");
    near.end();
    await farSees.until(() => farSees.count("end") === 1);
    expect(farSees.text).toBe("bye");
    far.appendLatin1("still here");
    await nearSees.until(() => nearSees.received === 10);
    far.end();
    await nearSees.until(() => nearSees.count("close") === 1);
    await farSees.until(() => farSees.count("close") === 1);
    expect(nearSees.calls).toEqual(["data", "end", "close"]);
    expect([nearSees.error, farSees.error]).toEqual([null, null]);
  });

  it("is not writable after end, and drops what is appended then", async () => {
    const { near, farSees } = await recorded(bench);
    near.end();
    expect(near.writable).toBe(false);
    near.appendLatin1("too late");
    near.flush();
    await farSees.until(() => farSees.count("end") === 1);
    expect(farSees.received).toBe(0);
  });

  it("makes no call from inside a call into it, not even onClose from destroy", async () => {
    const { near, nearSees } = await recorded(bench);
    nearSees.outside(() => {
      near.appendLatin1("lost");
      near.destroy();
      near.destroy();
    });
    expect(near.writable).toBe(false);
    await nearSees.until(() => nearSees.count("close") === 1);
    expect(nearSees.calls).toEqual(["close"]);
    expect(nearSees.error).toBeNull();
  });

  it("hands the error of destroy to onClose, once", async () => {
    const { near, nearSees, farSees } = await recorded(bench);
    near.destroy(new Error("given up"));
    await nearSees.until(() => nearSees.count("close") === 1);
    await farSees.until(() => farSees.count("end") + farSees.count("close") > 0);
    expect(nearSees.error?.message).toBe("given up");
    expect(nearSees.count("close")).toBe(1);
  });

  it("tells a handler that was set after the close", async () => {
    const { near, far, farSees } = await recorded(bench);
    near.destroy();
    await farSees.until(() => farSees.count("end") === 1);
    far.end();
    await farSees.until(() => farSees.count("close") === 1);
    expect(farSees.calls).toEqual(["end", "close"]);
  });

  it("delivers neither data nor the end while paused", async () => {
    const { near, far, nearSees, farSees } = await recorded(bench);
    farSees.onDataHook = () => far.pause();
    near.appendLatin1("one");
    await farSees.until(() => farSees.received === 3);
    near.appendLatin1("two");
    near.end();
    far.appendLatin1("an answer, sent while paused");
    await nearSees.until(() => nearSees.received > 0);
    await turns(20);
    expect(farSees.calls).toEqual(["data"]);
    farSees.onDataHook = () => {};
    far.resume();
    await farSees.until(() => farSees.count("end") === 1);
    expect(farSees.text).toBe("onetwo");
  });

  it("holds back a bare end while paused, too", async () => {
    const { near, far, farSees } = await recorded(bench);
    const barrier = await recorded(bench);
    far.pause();
    near.end();
    barrier.near.appendLatin1("later");
    await barrier.farSees.until(() => barrier.farSees.received === 5);
    await turns(20);
    expect(farSees.calls).toEqual([]);
    far.resume();
    await farSees.until(() => farSees.count("end") === 1);
  });

  it("becomes congested above the high watermark and says once when it has drained", async () => {
    const { near, far, nearSees, farSees } = await recorded(bench, 100_000);
    far.pause();
    const chunk = Buffer.alloc(60_000, 1);
    let sent = 0;
    while (!near.congested) {
      near.append(chunk, 0, chunk.length);
      sent += chunk.length;
      await turns(1);
    }
    expect(nearSees.count("drain")).toBe(0);
    far.resume();
    await farSees.until(() => farSees.received === sent);
    await nearSees.until(() => nearSees.count("drain") === 1);
    expect(near.congested).toBe(false);
    await turns(5);
    expect(nearSees.count("drain")).toBe(1);
  });

  it("passes a stream through with backpressure, byte for byte, however small the watermark", async () => {
    const { near, nearSees, farSees } = await recorded(bench, 1000);
    const total = 3_000_000;
    let sent = 0;
    const chunk = Buffer.alloc(7000);
    const pump = () => {
      while (sent < total && !near.congested) {
        for (let i = 0; i < chunk.length; i++) chunk[i] = (sent + i) % 251;
        near.append(chunk, 0, chunk.length);
        sent += chunk.length;
      }
    };
    nearSees.onDrainHook = pump;
    pump();
    await farSees.until(() => farSees.received >= total);
    const bytes = Buffer.concat(farSees.chunks);
    expect(bytes.every((byte, at) => byte === at % 251)).toBe(true);
  });

  it("is never congested once it cannot send: nobody waits for a drain that will not come", async () => {
    const { near, far, nearSees } = await recorded(bench, 1000);
    far.pause();
    near.append(Buffer.alloc(50_000), 0, 50_000);
    near.destroy();
    expect([near.congested, near.writable]).toEqual([false, false]);
    await nearSees.until(() => nearSees.count("close") === 1);
    expect(nearSees.count("drain")).toBe(0);
  });

  it("reports a peer that went away while it was being sent to", async () => {
    const { near, far, nearSees } = await recorded(bench);
    far.destroy();
    await nearSees.until(() => nearSees.count("end") === 1);
    while (nearSees.count("close") === 0) {
      near.append(Buffer.alloc(1000), 0, 1000);
      await turns(1);
    }
    expect((nearSees.error as NodeJS.ErrnoException).code).toMatch(/EPIPE|ECONNRESET/);
    expect(near.writable).toBe(false);
  });

  it("numbers its connections and names both ends", async () => {
    const { near, far } = await recorded(bench);
    expect(near.connection.id).not.toBe(far.connection.id);
    expect(near.connection.remoteAddress).toEqual(far.connection.localAddress);
    expect(near.connection.localAddress.text).toMatch(/^127\.0\.0\.1:\d+$/);
    expect([near.connection.tls, near.connection.requestedServerName]).toEqual([null, null]);
  });
});

/** Lets the event loop turn, so that what should not happen had its chance. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}
