import type net from "node:net";
import type { Deadline, DeadlineWheel } from "@mixerless/clock";
import { socketAddress } from "./socket-address.ts";
import type { BufferLimit, SocketAddress, Transport } from "./transport.ts";
import type { SecureConnection, SecuredSocket, TransportFactory } from "./transport-factory.ts";

/** Takes the bytes that a client sends first, piece by piece; true: enough was seen. */
export type FirstBytes = (bytes: Buffer) => boolean;

/** How looking at the first bytes ended. */
export type InspectionEnd = "seen" | "timeout" | "gone";

/** An accepted connection of which it is not decided yet what becomes of it. */
export interface IncomingConnection {
  readonly localAddress: SocketAddress;
  readonly remoteAddress: SocketAddress;
  /** Shows what the client sends first, and leaves all of it to be read. `timeout` in milliseconds; 0: none. */
  inspect(timeout: number, take: FirstBytes, onEnd: (end: InspectionEnd) => void): void;
  /** Goes on in clear. */
  plaintext(requestedServerName: string | null, bufferLimit: BufferLimit): Transport;
  /** Goes on after a handshake. Exactly one of the callbacks follows; after `onFailed` the connection is gone. */
  secure(
    handshake: SecureConnection,
    bufferLimit: BufferLimit,
    onSecured: (transport: Transport) => void,
    onFailed: (error: Error) => void,
  ): void;
  destroy(): void;
}

/** An accepted socket. */
export class IncomingSocket implements IncomingConnection {
  readonly #socket: net.Socket;
  readonly #transports: TransportFactory;
  readonly #wheel: DeadlineWheel;

  constructor(socket: net.Socket, transports: TransportFactory, wheel: DeadlineWheel) {
    this.#socket = socket;
    this.#transports = transports;
    this.#wheel = wheel;
  }

  get localAddress(): SocketAddress {
    return socketAddress(this.#socket.localAddress ?? "", this.#socket.localPort ?? 0);
  }
  get remoteAddress(): SocketAddress {
    return socketAddress(this.#socket.remoteAddress ?? "", this.#socket.remotePort ?? 0);
  }

  inspect(timeout: number, take: FirstBytes, onEnd: (end: InspectionEnd) => void): void {
    const socket = this.#socket;
    const seen: Buffer[] = [];
    let deadline: Deadline | null = null;
    const finish = (end: InspectionEnd) => {
      deadline?.cancel();
      socket.pause();
      socket.off("data", onData).off("end", onGone).off("close", onGone).off("error", onError);
      if (end !== "gone" && seen.length > 0) socket.unshift(Buffer.concat(seen));
      onEnd(end);
    };
    const onData = (chunk: Buffer) => {
      seen.push(chunk);
      if (take(chunk)) finish("seen");
    };
    const onGone = () => finish("gone");
    const onError = () => {};
    if (timeout > 0) deadline = this.#wheel.after(timeout, () => finish("timeout"));
    socket.on("data", onData).once("end", onGone).once("close", onGone).on("error", onError);
  }

  plaintext(requestedServerName: string | null, bufferLimit: BufferLimit): Transport {
    return this.#transports.accept(this.#socket, { requestedServerName, bufferLimit });
  }

  secure(
    handshake: SecureConnection,
    bufferLimit: BufferLimit,
    onSecured: (transport: Transport) => void,
    onFailed: (error: Error) => void,
  ): void {
    const secured = ({ socket, tls, requestedServerName }: SecuredSocket) =>
      onSecured(this.#transports.accept(socket, { tls, requestedServerName, bufferLimit }));
    handshake(this.#socket, secured, onFailed);
  }

  destroy(): void {
    this.#socket.on("error", () => {});
    this.#socket.destroy();
  }
}
