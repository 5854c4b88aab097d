import { existsSync, realpathSync } from "node:fs";
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type Server } from "node:http";
import { pathToFileURL } from "node:url";
import { type Clock, systemClock } from "./clock.ts";
import { type Environment, integerOf } from "./environment.ts";

/** A whole answer; every answer of the sample is small enough to be made before it is sent. */
export interface Answer {
  status: number;
  body: string | Buffer;
  headers: OutgoingHttpHeaders;
}

/** Answers one request. HEAD arrives as GET, its body is left out when it is sent. */
export type Handler = (method: string, url: URL, request: IncomingMessage) => Answer | Promise<Answer>;

/**
 * Longer than the hour after which a sidecar gives up an idle connection. Were it shorter, the
 * sidecar would now and then send a request down a connection that is just being closed.
 */
const keepAliveTimeout = 65 * 60_000;

/** How long a stop waits for answers under way, in milliseconds. */
const drainTime = 4_500;

export function json(status: number, value: unknown): Answer {
  return { status, body: JSON.stringify(value), headers: { "content-type": "application/json" } };
}

export function failure(status: number, sentence: string): Answer {
  return json(status, { error: sentence });
}

/** The number at the end of a path, `undefined` when its last part is no integer. */
export function trailingInteger(path: string): number | undefined {
  const last = path.slice(path.lastIndexOf("/") + 1);
  return /^-?\d{1,15}$/.test(last) ? Number(last) : undefined;
}

/** An HTTP server around `handler`. A handler that throws costs a 500 and a line on stderr. */
export function createService(handler: Handler): Server {
  const server = createServer({ keepAliveTimeout }, async (request, response) => {
    const answer = await answerOf(handler, request);
    response.statusCode = answer.status;
    for (const [name, value] of Object.entries(answer.headers))
      if (value !== undefined) response.setHeader(name, value);
    if (!server.listening) response.setHeader("connection", "close");
    response.setHeader("content-length", Buffer.byteLength(answer.body));
    response.end(answer.body);
  });
  return server;
}

async function answerOf(handler: Handler, request: IncomingMessage): Promise<Answer> {
  const url = parseTarget(request.url ?? "/");
  if (url === undefined) return failure(400, "The request target is no path.");
  try {
    return await handler(request.method === "HEAD" ? "GET" : (request.method ?? "GET"), url, request);
  } catch (error) {
    process.stderr.write(`${request.method} ${url.pathname} failed: ${error instanceof Error ? error.stack : error}\n`);
    return failure(500, "This service ran into a fault of its own; its log says more.");
  }
}

function parseTarget(target: string): URL | undefined {
  const absolute = target.startsWith("/") ? `http://service${target}` : target;
  return URL.canParse(absolute) ? new URL(absolute) : undefined;
}

/**
 * Serves until SIGTERM or SIGINT: listens on `PORT` (9080 by default, 0 for any free one) of
 * `BIND_ADDRESS` (127.0.0.1 by default) and says on stderr where. A stop finishes the answers under way
 * and ends the process within five seconds.
 */
export function runService(name: string, create: (env: Environment) => Server, clock: Clock = systemClock): void {
  const env = process.env;
  const giveUp = (error: unknown) => {
    process.stderr.write(`${name} can't start: ${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  };
  try {
    const server = create(env);
    server.once("error", giveUp);
    server.listen(integerOf(env, "PORT", 9080, 65_535), env.BIND_ADDRESS || "127.0.0.1", () => {
      process.stderr.write(`${[name, env.SERVICE_VERSION || "v1"].join(" ")} listens on ${addressOf(server)}\n`);
    });
    stopOnSignal(server, clock);
  } catch (error) {
    giveUp(error);
  }
}

function stopOnSignal(server: Server, clock: Clock): void {
  const stop = () => {
    server.close(() => process.exit(0));
    clock.after(drainTime, () => server.closeAllConnections());
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}

function addressOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === "string") return String(address);
  return `http://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`;
}

/** Whether the module at `moduleUrl` is the program that was started, not a library of it. */
export function isProgram(moduleUrl: string): boolean {
  const script = process.argv[1];
  return script !== undefined && existsSync(script) && pathToFileURL(realpathSync(script)).href === moduleUrl;
}
