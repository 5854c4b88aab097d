import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type AccessRules, refusal } from "./guard.ts";
import { helpPage, helpText } from "./help.ts";

/** Where the server listens; port 0 asks for any free one. */
export interface AdminAddress {
  readonly ip: string;
  readonly port: number;
}

/** What a handler answers with. */
export interface AdminAnswer {
  readonly status?: number;
  readonly contentType?: string;
  /** Further headers. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A generator is sent as it is made, so that a large answer never stalls the data path. */
  readonly body: string | AsyncIterable<string | Uint8Array>;
  /** Called once the answer has left or its client is gone: what would end this server before its answer. */
  readonly afterwards?: () => void;
}

/** What a handler may know of a request beside its query. */
export type AdminRequest = Pick<IncomingMessage, "headers">;

export interface AdminHandler {
  readonly path: string;
  readonly help: string;
  /** Changes something: POST only [decision 11]. */
  readonly mutates: boolean;
  handle(query: URLSearchParams, request: AdminRequest): AdminAnswer | Promise<AdminAnswer>;
}

export interface AdminServer {
  readonly address: AdminAddress;
  close(): Promise<void>;
}

/** Serves the handlers. Rejects with the system's error when the address cannot be bound. */
export async function startAdminServer(
  address: AdminAddress,
  handlers: readonly AdminHandler[],
  rules: AccessRules = {},
): Promise<AdminServer> {
  const byPath = new Map(handlers.map((handler) => [handler.path, handler]));
  const server = createServer((request, response) => {
    void serve(byPath, rules, request, response);
  });
  // An idle admin client shall not hold a stopping proxy up.
  server.keepAliveTimeout = 5000;
  // Requests are small: whoever sends for longer or opens more connections has nothing to say here.
  server.requestTimeout = 30_000;
  server.maxConnections = 512;
  await listen(server, address);
  const bound = server.address() as AddressInfo;
  return {
    address: { ip: bound.address, port: bound.port },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, address: AdminAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(address.port, address.ip, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

async function serve(
  handlers: ReadonlyMap<string, AdminHandler>,
  rules: AccessRules,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const { status, contentType, headers, body, afterwards } = await answer(handlers, rules, request);
    if (afterwards !== undefined) {
      if (response.closed) afterwards();
      else response.once("close", afterwards);
    }
    response.writeHead(status ?? 200, {
      "content-type": contentType ?? "text/plain; charset=UTF-8",
      "cache-control": "no-cache, max-age=0",
      "x-content-type-options": "nosniff",
      ...headers,
    });
    if (request.method === "HEAD") response.end();
    else if (typeof body === "string") response.end(body);
    else await stream(body, response);
  } catch (error) {
    // The admin interface is a guest of the data path: whatever fails here ends here.
    if (!response.headersSent) response.writeHead(500, { "content-type": "text/plain" });
    response.end(`${error instanceof Error ? error.message : String(error)}\n`);
  }
}

async function answer(
  handlers: ReadonlyMap<string, AdminHandler>,
  rules: AccessRules,
  request: IncomingMessage,
): Promise<AdminAnswer> {
  request.resume();
  const url = new URL(`http://admin${request.url ?? "/"}`);
  const path = url.pathname.length > 1 && url.pathname.endsWith("/") ? url.pathname.slice(0, -1) : url.pathname;
  const handler = handlers.get(path);
  const reason = refusal(request, handler?.mutates ?? false, rules);
  if (reason !== null) return { status: 403, body: `${reason}\n` };
  if (path === "/" && handler === undefined)
    return { body: helpPage(handlers.values()), contentType: "text/html; charset=UTF-8" };
  if (path === "/help") return { body: helpText(handlers.values()) };
  if (handler === undefined) return { status: 404, body: `invalid path. ${helpText(handlers.values())}` };
  if (handler.mutates && request.method !== "POST")
    return { status: 405, body: `Method ${request.method} not allowed, POST required.\n` };
  return handler.handle(url.searchParams, request);
}

async function stream(body: AsyncIterable<string | Uint8Array>, response: ServerResponse): Promise<void> {
  for await (const chunk of body) {
    if (response.destroyed) return;
    if (!response.write(chunk)) await new Promise<void>((resolve) => whenWritable(response, resolve));
  }
  response.end();
}

function whenWritable(response: ServerResponse, resolve: () => void): void {
  const done = () => {
    response.off("drain", done);
    response.off("close", done);
    resolve();
  };
  response.on("drain", done);
  response.on("close", done);
}
