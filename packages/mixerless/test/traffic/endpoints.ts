import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MeshIdentities } from "./mesh-identities.ts";
import { acceptTls, type SeenTls } from "./tls-endpoint.ts";

let sockets = 0;

/** Whose certificates the endpoints have, by address. */
export interface EndpointIdentities {
  readonly mesh: MeshIdentities;
  readonly byAddress: ReadonlyMap<string, string>;
}

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
 * like HTTP is answered with the address. What begins like TLS gets a handshake of the address's identity; what
 * that told the endpoint is in the headers `tls-…` of the requests that it has seen.
 */
export class Endpoints {
  readonly #servers = new Map<string, Server>();
  readonly #sockets = new Set<Socket>();
  readonly #identities: EndpointIdentities;

  constructor(identities: EndpointIdentities) {
    this.#identities = identities;
  }

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

  /** The Unix socket that stands in for another one. */
  async path(wanted: string): Promise<string> {
    sockets += 1;
    const path = join(tmpdir(), `mixerless-case-${process.pid}-${sockets}.sock`);
    const server = this.#serve(wanted);
    this.#servers.set(path, server);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return path;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([...this.#servers.values()].map((server) => new Promise((resolve) => server.close(resolve))));
  }

  #serve(address: string): Server {
    return createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {}).on("close", () => this.#sockets.delete(socket));
      socket.once("data", (bytes) => {
        if (bytes[0] !== TLS_HANDSHAKE) {
          converse(address, socket, bytes, null);
          return;
        }
        socket.pause();
        socket.unshift(bytes);
        void this.#secure(address, socket);
      });
    });
  }

  async #secure(address: string, socket: Socket): Promise<void> {
    const { mesh, byAddress } = this.#identities;
    const credentials = await mesh.of(byAddress.get(address) ?? "spiffe://cluster.local/ns/default/sa/default");
    acceptTls(socket, credentials, mesh.roots, (secured, seen) => {
      secured.on("error", () => {});
      secured.once("data", (bytes) => converse(address, secured, bytes, seen));
    });
  }
}

const TLS_HANDSHAKE = 0x16;

function converse(address: string, socket: Socket, bytes: Buffer, seen: SeenTls | null): void {
  if (!/^[A-Z]+ \S+ HTTP/.test(bytes.toString("latin1"))) {
    socket.end(`${address} got ${bytes.toString("latin1")}`);
    return;
  }
  const http = createHttpServer((request, response) => answer(address, seen, request, response));
  http.emit("connection", socket);
  // Pushing the bytes back would not do: from here on the parser reads the handle itself.
  socket.emit("data", bytes);
}

function answer(at: string, tls: SeenTls | null, request: IncomingMessage, response: ServerResponse): void {
  if (at.startsWith("10.7.")) return;
  const received = Object.entries({ ...request.headers, ...tlsHeaders(tls) });
  const headers = Object.fromEntries(received.map(([name, value]) => [name, String(value)]));
  const seen: SeenRequest = { at, method: request.method ?? "", path: request.url ?? "", headers };
  response.writeHead(at.startsWith("10.8.") ? 503 : 200, { "content-type": "application/json", "x-at": at });
  response.end(JSON.stringify(seen));
}

function tlsHeaders(tls: SeenTls | null): Record<string, string> {
  return tls === null ? {} : { "tls-peer": tls.peer, "tls-sni": tls.sni, "tls-offered": tls.offered };
}
