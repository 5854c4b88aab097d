import { createServer, type Server, type Socket } from "node:net";

/** One connection to the origin: every byte that arrived on it. */
export class OriginConnection {
  readonly socket: Socket;
  received = "";
  ended = false;
  closed = false;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  send(text: string): void {
    this.socket.write(text, "latin1");
  }
}

/**
 * A TCP server that knows no HTTP: it records what arrives, one char for each byte, and answers by the test's hand. So
 * what was smuggled past a proxy shows, whatever a parser would have made of it.
 */
export class RawOrigin {
  readonly #server: Server;
  readonly connections: OriginConnection[] = [];
  /** Called with each piece that arrives, after it was recorded. */
  onData: (connection: OriginConnection, piece: string) => void = () => {};
  port = 0;

  constructor() {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  static async listen(): Promise<RawOrigin> {
    const origin = new RawOrigin();
    await new Promise<void>((resolve) => origin.#server.listen(0, "127.0.0.1", resolve));
    const address = origin.#server.address();
    if (address === null || typeof address === "string") throw new Error("a TCP server has a port");
    origin.port = address.port;
    return origin;
  }

  /** Forgets what was recorded, and the connections with it. */
  reset(): void {
    for (const { socket } of this.connections.splice(0)) socket.destroy();
  }

  close(): void {
    this.reset();
    this.#server.close();
  }

  #accept(socket: Socket): void {
    const connection = new OriginConnection(socket);
    this.connections.push(connection);
    socket.on("data", (chunk) => {
      const piece = chunk.toString("latin1");
      connection.received += piece;
      this.onData(connection, piece);
    });
    socket.on("end", () => {
      connection.ended = true;
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      connection.closed = true;
    });
  }
}
