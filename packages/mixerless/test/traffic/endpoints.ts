import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

/** What an endpoint tells of a request that it got. */
export interface SeenRequest {
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Endpoints that say who they are, one for each address of a configuration, all on loopback. By address:
 * 10.9.… refuses connections, 10.8.… answers 503, 10.7.… never answers, any other 200. What does not begin
 * like HTTP is answered with the address.
 */
export class Endpoints {
  readonly #servers = new Map<string, Server>();
  readonly #sockets = new Set<Socket>();

  /** The port on 127.0.0.1 that stands in for an address. */
  async port(address: string): Promise<number> {
    let server = this.#servers.get(address);
    if (server === undefined) {
      server = this.#serve(address);
      this.#servers.set(address, server);
      await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
      if (address.startsWith("10.9.")) {
        const { port } = server.address() as AddressInfo;
        await new Promise((resolve) => server?.close(resolve));
        return port;
      }
    }
    return (server.address() as AddressInfo | null)?.port ?? 1;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([...this.#servers.values()].map((server) => new Promise((resolve) => server.close(resolve))));
  }

  #serve(address: string): Server {
    const http = createHttpServer((request, response) => answer(address, request, response));
    return createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {}).on("close", () => this.#sockets.delete(socket));
      socket.once("data", (bytes) => {
        if (!/^[A-Z]+ \S+ HTTP/.test(bytes.toString("latin1"))) {
          socket.end(`${address} got ${bytes.toString("latin1")}`);
          return;
        }
        http.emit("connection", socket);
        // Pushing the bytes back would not do: from here on the parser reads the handle itself.
        socket.emit("data", bytes);
      });
    });
  }
}

function answer(at: string, request: IncomingMessage, response: ServerResponse): void {
  if (at.startsWith("10.7.")) return;
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  const seen: SeenRequest = { at, method: request.method ?? "", path: request.url ?? "", headers };
  response.writeHead(at.startsWith("10.8.") ? 503 : 200, { "content-type": "application/json", "x-at": at });
  response.end(JSON.stringify(seen));
}
