import http, { type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import https from "node:https";
import { type Clock, systemClock } from "./clock.ts";
import { type Endpoint, type Environment, flagOf } from "./environment.ts";

/** The whole answer to a call. */
export interface Reply {
  status: number;
  body: string;
}

/** What a caller may change about its calls. */
export interface ClientOptions {
  /** Keep connections for the next call. Off by default, so that every call picks a destination anew. */
  reuseConnections?: boolean;
  clock?: Clock;
}

/** Asks other services. */
export interface Client {
  /** GETs `path`. `undefined` when no complete answer came within `timeout` milliseconds; never rejects. */
  get(endpoint: Endpoint, path: string, headers: OutgoingHttpHeaders, timeout: number): Promise<Reply | undefined>;
}

const longestBody = 1024 * 1024;

/** The client options that the environment asks for: `CONNECTION_REUSE=true` keeps connections. */
export function clientOptionsOf(env: Environment): ClientOptions {
  return { reuseConnections: flagOf(env, "CONNECTION_REUSE") };
}

export function createClient({ reuseConnections = false, clock = systemClock }: ClientOptions): Client {
  const agent = reuseConnections ? new http.Agent({ keepAlive: true }) : false;
  return {
    get: (endpoint, path, headers, timeout) =>
      new Promise((resolve) => {
        const { host, port, authority, secure = false } = endpoint;
        const options = { host, port, path, headers: { ...headers, host: authority } };
        const request = secure ? https.request({ ...options, agent: false }) : http.request({ ...options, agent });
        // One timer for the whole call, so that an answer that drips does not outlive it.
        const timer = clock.after(timeout, () => request.destroy());
        const finish = (reply: Reply | undefined) => {
          timer.cancel();
          resolve(reply);
        };
        request.on("error", () => finish(undefined));
        request.on("response", async (response) => {
          const body = await readText(response, longestBody);
          if (body === undefined) request.destroy();
          finish(body === undefined ? undefined : { status: response.statusCode ?? 0, body });
        });
        request.end();
      }),
  };
}

/** The body of `message` as text; `undefined` when it has more than `limit` bytes or breaks off. */
export function readText(message: IncomingMessage, limit: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    message.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
      else resolve(undefined);
    });
    message.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    message.on("error", () => resolve(undefined));
    message.on("close", () => resolve(undefined));
  });
}

/** Parses JSON; `undefined` when `text` is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether `value` is an object with named fields. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
