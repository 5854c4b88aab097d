import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import type { Clock } from "../src/clock.ts";
import type { Endpoint } from "../src/environment.ts";

/** Time that a test moves. */
export interface ManualClock extends Clock {
  advance(duration: number): void;
  /** Resolves as soon as `count` calls wait. */
  waiting(count: number): Promise<void>;
}

export function createManualClock(): ManualClock {
  let now = 0;
  const pending = new Map<() => void, number>();
  let watchers: { count: number; done: () => void }[] = [];
  return {
    monotonic: () => now,
    after(delay, callback) {
      pending.set(callback, now + delay);
      for (const watcher of watchers) if (pending.size >= watcher.count) watcher.done();
      watchers = watchers.filter((watcher) => pending.size < watcher.count);
      return { cancel: () => pending.delete(callback) };
    },
    advance(duration) {
      now += duration;
      for (const [callback, at] of [...pending]) if (at <= now && pending.delete(callback)) callback();
    },
    waiting: (count) =>
      new Promise((done) => {
        if (pending.size >= count) done();
        else watchers.push({ count, done });
      }),
  };
}

/** Starts `server` on a free port until the test ends. */
export async function serve(server: Server): Promise<Endpoint> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { host: "127.0.0.1", port, authority: "under-test:9080" };
}

/** A service that answers as the test says and keeps every request it saw. */
export async function serveFake(listener: RequestListener, authority = "fake:9080") {
  const requests: IncomingMessage[] = [];
  const endpoint = await serve(
    createServer((request, response) => {
      requests.push(request);
      listener(request, response);
    }),
  );
  return { endpoint: { ...endpoint, authority }, requests };
}

/** An address where nobody listens. */
export const nobody: Endpoint = { host: "127.0.0.1", port: 1, authority: "nobody:9080" };

export function request({ host, port }: Endpoint, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`http://${host}:${port}${path}`, { redirect: "manual", ...init });
}

/** What the services send, as far as tests look into it. */
interface Body {
  ratings?: Record<string, number>;
  reviews?: { rating?: { stars: number; color: string } | { error: string } }[];
}

/** Status and parsed body of a GET. */
export async function getJson(endpoint: Endpoint, path: string, headers: Record<string, string> = {}) {
  const response = await request(endpoint, path, { headers });
  return { status: response.status, body: (await response.json()) as Body };
}
