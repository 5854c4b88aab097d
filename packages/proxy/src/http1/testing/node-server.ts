import { createServer, type Server } from "node:http";
import { Duplex } from "node:stream";
import type { Understood } from "./understood.ts";

/** The other side of a connection: what is put in is read, what is written is forgotten. */
class Feed extends Duplex {
  constructor() {
    super({ read: () => {}, write: (_chunk, _encoding, done) => done() });
  }
}

/** Node's own HTTP server, strict as it is by default, as a second opinion on what bytes mean. */
export class NodeHttpServer {
  readonly #server: Server;
  #requests: Understood[] = [];

  constructor() {
    this.#server = createServer({ keepAlive: true }, (request, response) => {
      const chunks: Buffer[] = [];
      request.on("error", () => {});
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        this.#requests.push({
          method: request.method ?? "",
          target: request.url ?? "",
          fields: pairs(request.rawHeaders),
          body: Buffer.concat(chunks).toString("latin1"),
          trailers: pairs(request.rawTrailers),
        });
        response.end();
      });
    });
    // Without a listener Node would destroy the socket, and with it the requests before the fault.
    this.#server.on("clientError", () => {});
  }

  /** The complete requests that Node finds in the bytes. */
  async understand(pieces: readonly Buffer[]): Promise<readonly Understood[]> {
    this.#requests = [];
    const feed = new Feed();
    feed.on("error", () => {});
    this.#server.emit("connection", feed);
    for (const piece of pieces) {
      feed.push(piece);
      await turn();
    }
    for (let i = 0; i < 4; i++) await turn();
    const requests = this.#requests;
    feed.destroy();
    return requests;
  }

  close(): void {
    this.#server.close();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function pairs(raw: readonly string[]): [string, string][] {
  const fields: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) fields.push([(raw[i] ?? "").toLowerCase(), raw[i + 1] ?? ""]);
  return fields;
}
