import { connect, type Socket } from "node:net";

/** A client that knows no HTTP. */
export class RawClient {
  readonly socket: Socket;
  received = "";
  ended = false;
  closed = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    const note = (change: () => void) => () => {
      change();
      this.#wake();
    };
    socket.setNoDelay(true);
    socket.on("data", (chunk) => {
      this.received += chunk.toString("latin1");
      this.#wake();
    });
    socket.on(
      "end",
      note(() => {
        this.ended = true;
      }),
    );
    socket.on(
      "close",
      note(() => {
        this.closed = true;
      }),
    );
    // A peer that closes while we still send resets the connection; what it sent before counts.
    socket.on("error", () => {});
  }

  static connect(port: number): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new RawClient(socket));
      });
    });
  }

  send(text: string): void {
    if (this.socket.writable) this.socket.write(text, "latin1");
  }

  /**
   * Sends each byte by itself, with a turn of the event loop between them. In the middle of what is too long to be
   * interesting, pieces of a hundred bytes.
   */
  async sendByteByByte(text: string): Promise<void> {
    const edge = 400;
    for (let at = 0; at < text.length; ) {
      const size = at < edge || at >= text.length - edge ? 1 : Math.min(100, text.length - edge - at);
      this.send(text.slice(at, at + size));
      at += size;
      await turn();
    }
  }

  /** Resolves when `condition` holds, which is looked at whenever something arrives. */
  async until(condition: (client: this) => boolean): Promise<void> {
    while (!condition(this)) {
      if (this.closed) throw new Error(`the connection was closed; received: ${JSON.stringify(this.received)}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Resolves with all that was received when the peer has ended, then ends too. */
  async toEnd(): Promise<string> {
    while (!this.ended && !this.closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.socket.destroy();
    return this.received;
  }

  close(): void {
    this.socket.destroy();
  }
}

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Resolves when `condition` holds. For what happens by itself, soon, and tells nobody. */
export async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}
