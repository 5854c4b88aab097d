import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { VirtualClock } from "@mixerless/clock";
import { describe, expect, it } from "vitest";
import { untilListening } from "./until-listening.ts";

async function listener() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

async function freePort(): Promise<number> {
  const { server, port } = await listener();
  server.close();
  await once(server, "close");
  return port;
}

describe("waiting for a program that listens", () => {
  it("ends with the first connection that the program accepts", async () => {
    const { server, port } = await listener();
    const clock = new VirtualClock();
    expect(await untilListening(port, clock, new AbortController().signal)).toBe(true);
    expect(clock.pending).toBe(0);
    server.close();
  });

  it("tries again at an interval, not at once, until the program listens", async () => {
    const port = await freePort();
    const clock = new VirtualClock();
    let listens = false;
    const waiting = untilListening(port, clock, new AbortController().signal).then((result) => {
      listens = true;
      return result;
    });
    expect(listens).toBe(false);
    const server = createServer().listen(port, "127.0.0.1");
    await once(server, "listening");
    while (!listens) {
      clock.advance(50);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await waiting).toBe(true);
    server.close();
  });

  it("ends when nobody waits any more, and leaves no timer behind", async () => {
    const clock = new VirtualClock();
    const over = new AbortController();
    const waiting = untilListening(await freePort(), clock, over.signal);
    over.abort();
    expect(await waiting).toBe(false);
    expect(clock.pending).toBe(0);
  });
});
