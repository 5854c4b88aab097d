import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const UNAVAILABLE = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\n\r\nbusy";

/** What an upstream does once it has read the beginning of a request. */
const BEHAVIOURS = {
  ok: (socket: Socket) => socket.write(OK),
  unavailable: (socket: Socket) => socket.write(UNAVAILABLE),
  silent: () => {},
  "ends before the response": (socket: Socket) => socket.end(),
  "resets before the response": (socket: Socket) => socket.resetAndDestroy(),
  "is not HTTP": (socket: Socket) => socket.end("hello there\r\n\r\n"),
  "has a bad status": (socket: Socket) => socket.end("HTTP/1.1 wrong OK\r\n\r\n"),
  "has two lengths": (socket: Socket) =>
    socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok"),
  "has a long head": (socket: Socket) => socket.write(`HTTP/1.1 200 OK\r\nx-long: ${"x".repeat(90_000)}\r\n\r\n`),
  "has many headers": (socket: Socket) => socket.write(`HTTP/1.1 200 OK\r\n${"x: y\r\n".repeat(120)}\r\n`),
  "ends inside a counted body": (socket: Socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"),
  "resets inside a counted body": (socket: Socket) => {
    socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf");
    setTimeout(() => socket.resetAndDestroy(), 100);
  },
  "ends inside a chunked body": (socket: Socket) =>
    socket.end("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n"),
  "has a bad chunk": (socket: Socket) => {
    socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n");
    setTimeout(() => socket.end("zz\r\n"), 100);
  },
  "has a head of 70 KB": (socket: Socket) =>
    socket.write(`HTTP/1.1 200 OK\r\nx-long: ${"x".repeat(70_000)}\r\ncontent-length: 2\r\n\r\nok`),
  "stops inside a body": (socket: Socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"),
} satisfies Record<string, (socket: Socket) => unknown>;

export type Behaviour = keyof typeof BEHAVIOURS | "refuses connections" | "never accepts";

/** Upstreams that fail in one way each, all on 127.0.0.1. */
export class FaultyUpstreams {
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #children: ChildProcess[] = [];
  readonly #ports = new Map<Behaviour, number>();

  async port(behaviour: Behaviour): Promise<number> {
    const known = this.#ports.get(behaviour);
    if (known !== undefined) return known;
    const port = behaviour === "never accepts" ? await this.#stopped() : await this.#serve(behaviour);
    this.#ports.set(behaviour, port);
    return port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    for (const server of this.#servers) server.close();
    for (const child of this.#children) child.kill("SIGKILL");
  }

  async #serve(behaviour: Exclude<Behaviour, "never accepts">): Promise<number> {
    const server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {}).on("close", () => this.#sockets.delete(socket));
      if (behaviour === "refuses connections") return;
      socket.on("data", () => BEHAVIOURS[behaviour](socket));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    if (behaviour === "refuses connections") await new Promise((resolve) => server.close(resolve));
    else this.#servers.push(server);
    return port;
  }

  /** A process that listens and is then stopped, with its queue filled up: further connections hang. */
  async #stopped(): Promise<number> {
    const script =
      'const s = require("node:net").createServer(); s.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => console.log(s.address().port));';
    const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    this.#children.push(child);
    const [text] = (await once(child.stdout, "data")) as [Buffer];
    const port = Number(text.toString());
    child.kill("SIGSTOP");
    while (await this.#connects(port));
    return port;
  }

  async #connects(port: number): Promise<boolean> {
    const socket = connect(port, "127.0.0.1");
    this.#sockets.add(socket);
    socket.on("error", () => {});
    return Promise.race([once(socket, "connect").then(() => true), pause(300).then(() => false)]);
  }
}
