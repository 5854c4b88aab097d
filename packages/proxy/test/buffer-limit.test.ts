import { once } from "node:events";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { VirtualClock } from "@mixerless/clock";
import { afterEach, beforeEach, expect, it } from "vitest";
import { WholeProxy } from "./whole-proxy.ts";

const retryPolicy = { retryOn: "5xx", numRetries: 1 };
const ROUTES = {
  virtualHosts: [
    { name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: "origin", retryPolicy } }] },
  ],
};

let origin: Server;
let asked = 0;
let arrived = () => {};
let proxy: WholeProxy;

beforeEach(async () => {
  asked = 0;
  origin = createServer((received, response) => {
    asked++;
    arrived();
    received.resume().once("end", () => {
      response.statusCode = asked === 1 ? 503 : 200;
      response.end();
    });
  }).listen(0, "127.0.0.1");
  await once(origin, "listening");
});

afterEach(async () => {
  await proxy.close();
  origin.close();
});

/** Sends the second part when the first is on its way, so that it is not kept for want of a connection. */
async function post(limit: number | undefined, parts: readonly [string, string]): Promise<number> {
  proxy = await WholeProxy.start({
    originPort: (origin.address() as AddressInfo).port,
    clock: new VirtualClock(),
    manager: { routeConfig: ROUTES },
    listener: limit === undefined ? {} : { perConnectionBufferLimitBytes: limit },
  });
  const begun = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const sent = request({ host: "127.0.0.1", port: proxy.port, method: "POST" });
  sent.write(parts[0]);
  await begun;
  sent.end(parts[1]);
  // The back-off before the retry.
  const ticking = setInterval(() => proxy.clock.advance(50), 1);
  const [response] = await once(sent, "response");
  clearInterval(ticking);
  response.resume();
  return response.statusCode;
}

it("keeps of a request body what the listener's buffer holds, and retries no request beyond it", async () => {
  expect(await post(8, ["more", " than eight bytes"])).toBe(503);
  expect(asked).toBe(1);
});

it("retries a request whose body the buffer holds; 0 means no limit", async () => {
  expect(await post(undefined, ["more", " than eight bytes"])).toBe(200);
  await proxy.close();
  asked = 0;
  expect(await post(0, ["x", "x".repeat(2 * 1024 * 1024)])).toBe(200);
  expect(asked).toBe(2);
});
