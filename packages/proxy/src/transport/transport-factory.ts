import net from "node:net";
import { DirectSockets } from "./direct-socket.ts";
import { FlushQueue } from "./flush-queue.ts";
import { ScratchPool } from "./scratch-pool.ts";
import { pipeAddress, socketAddress } from "./socket-address.ts";
import { StreamTransport, type TransportShares } from "./stream-transport.ts";
import type { BufferLimit, ConnectionInfo, SocketAddress, Transport } from "./transport.ts";

export interface TransportFactoryOptions {
  /** Unsent bytes above which a transport is congested. Default 256 KiB. */
  readonly highWatermark?: number;
  /** Unsent bytes at which a congested transport goes on. Default half the high watermark. */
  readonly lowWatermark?: number;
  /** Ways around Node's stream layer (decision 20); null: only the public API is used. Default: what this Node has. */
  readonly direct?: DirectSockets | null;
}

/** Where to connect to: an IP address and port, or the path of a Unix domain socket. */
export type ConnectTarget = { readonly host: string; readonly port: number } | { readonly path: string };

export interface ConnectOptions {
  /** Local IP address that the connection leaves from. */
  readonly localAddress?: string | undefined;
  /** Makes a secure connection of the plain one; undefined: it stays plain. */
  readonly secure?: SecureConnection | undefined;
  readonly bufferLimit?: BufferLimit;
}

/** A socket after its handshake, with what that established. */
export interface SecuredSocket {
  readonly socket: net.Socket;
  readonly tls: NonNullable<ConnectionInfo["tls"]>;
  readonly requestedServerName: string | null;
}

/**
 * Does the handshake of one side on a plain connection. Exactly one of the callbacks follows, unless the
 * socket is destroyed by the caller before.
 */
export type SecureConnection = (
  raw: net.Socket,
  onSecured: (secured: SecuredSocket) => void,
  onFailed: (error: Error) => void,
) => void;

/** What was learned about a connection before it became a transport. */
export interface AcceptFacts {
  readonly tls?: ConnectionInfo["tls"];
  readonly requestedServerName?: string | null;
  readonly bufferLimit?: BufferLimit;
}

export interface ConnectAttempt {
  /** Before onConnected or onFailed: gives up, and neither will be called. */
  cancel(): void;
}

/** Makes transports. One for each process or worker: what it shares between connections is not thread-safe. */
export interface TransportFactory {
  /** Takes over an accepted socket. Reading starts with `setHandler`. */
  accept(socket: net.Socket, facts?: AcceptFacts): Transport;
  /**
   * Connects. Exactly one of the callbacks follows, never before `connect` has returned. There is no
   * time-out here: the caller cancels.
   */
  connect(
    target: ConnectTarget,
    options: ConnectOptions,
    onConnected: (transport: Transport) => void,
    onFailed: (error: Error) => void,
  ): ConnectAttempt;
}

/** Largest read, and so the largest range that `onData` passes. */
const READ_BYTES = 64 * 1024;
/**
 * A quarter of Envoy's limit per connection: what waits here comes on top of the system's own buffers, which keep a
 * fast peer busy alone, and a thousand slow ones hold it a thousand times.
 */
export const HIGH_WATERMARK = 256 * 1024;
/** A full read and the head or chunk framing around it fit into one write. */
const SCRATCH_BYTES = 80 * 1024;
const SPARE_SCRATCHES = 16;
const KEPT_LIMITS = 64;

/** Hands out the ids of connections. Shared by all factories of a process. */
export class ConnectionIds {
  #last = 0;

  next(): number {
    this.#last += 1;
    return this.#last;
  }
}

/** Transports over the sockets of this machine [performance §5.1]. */
export function createTransportFactory(
  options: TransportFactoryOptions = {},
  ids: ConnectionIds = new ConnectionIds(),
): TransportFactory {
  const highWatermark = options.highWatermark ?? HIGH_WATERMARK;
  const shares: TransportShares = {
    scratches: new ScratchPool(SCRATCH_BYTES, SPARE_SCRATCHES),
    flushes: new FlushQueue(),
    highWatermark,
    lowWatermark: options.lowWatermark ?? highWatermark / 2,
  };
  const direct = options.direct === undefined ? DirectSockets.detect() : options.direct;
  return new SocketTransportFactory(shares, ids, direct);
}

class SocketTransportFactory implements TransportFactory {
  readonly #shares: TransportShares;
  readonly #byLimit = new Map<number, TransportShares>();
  readonly #ids: ConnectionIds;
  readonly #direct: DirectSockets | null;
  /** All sockets that can read into it: what a handler keeps beyond its call it must copy. */
  readonly #readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);
  readonly #giveScratch: (scratch: Buffer) => void;

  constructor(shares: TransportShares, ids: ConnectionIds, direct: DirectSockets | null) {
    this.#shares = shares;
    this.#ids = ids;
    this.#direct = direct;
    this.#giveScratch = (scratch) => shares.scratches.give(scratch);
  }

  accept(socket: net.Socket, facts: AcceptFacts = {}): Transport {
    socket.allowHalfOpen = true;
    socket.setNoDelay(true);
    const info = this.#describe(socket, "", facts);
    const direct = info.tls === null ? this.#direct : null;
    if (direct !== null) {
      const buffer = this.#readBuffer;
      let transport: StreamTransport | null = null;
      const onRead = (length: number) => transport?.deliver(buffer, 0, length);
      const own = direct.adopt(socket, { buffer, onRead });
      if (own !== null) {
        const shares = this.#sharesOf(facts.bufferLimit);
        transport = new StreamTransport(own, info, shares, false, direct.writer(own, this.#giveScratch));
        return transport;
      }
    }
    return new StreamTransport(socket, info, this.#sharesOf(facts.bufferLimit), true);
  }

  connect(
    target: ConnectTarget,
    options: ConnectOptions,
    onConnected: (transport: Transport) => void,
    onFailed: (error: Error) => void,
  ): ConnectAttempt {
    const attempt = new SocketAttempt(onFailed);
    if (options.secure !== undefined) {
      this.#connectSecurely(target, options, options.secure, attempt, onConnected);
      return attempt;
    }
    const readBuffer = this.#readBuffer;
    let transport: StreamTransport | null = null;
    let socket: net.Socket;
    try {
      socket = net.connect({
        ...target,
        ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
        allowHalfOpen: true,
        noDelay: true,
        onread: {
          buffer: readBuffer,
          callback: (length) => {
            transport?.deliver(readBuffer, 0, length);
            return true;
          },
        },
      });
    } catch (error) {
      // Node throws for what it can see to be wrong, such as a port out of range.
      process.nextTick(() => attempt.failed(error as Error));
      return attempt;
    }
    attempt.watch(socket);
    socket.once("connect", () => {
      attempt.done();
      const path = "path" in target ? target.path : "";
      const info = this.#describe(socket, path, {});
      const writer = this.#direct?.writer(socket, this.#giveScratch) ?? null;
      transport = new StreamTransport(socket, info, this.#sharesOf(options.bufferLimit), false, writer);
      onConnected(transport);
      if (!transport.hasHandler) socket.pause();
    });
    return attempt;
  }

  /** Node's TLS reads by itself, so there is no buffer to share. */
  #connectSecurely(
    target: ConnectTarget,
    { localAddress, bufferLimit }: ConnectOptions,
    secure: SecureConnection,
    attempt: SocketAttempt,
    onConnected: (transport: Transport) => void,
  ): void {
    const socket = net.connect({
      ...target,
      ...(localAddress === undefined ? {} : { localAddress }),
      allowHalfOpen: true,
      noDelay: true,
    });
    attempt.watch(socket);
    socket.once("connect", () =>
      secure(
        socket,
        (secured) => {
          if (!attempt.done()) {
            secured.socket.destroy();
            return;
          }
          const path = "path" in target ? target.path : "";
          const info = this.#describe(secured.socket, path, secured);
          onConnected(new StreamTransport(secured.socket, info, this.#sharesOf(bufferLimit), true));
        },
        (error) => attempt.failed(error),
      ),
    );
  }

  /** The few limits that a configuration names are kept; connections share them. */
  #sharesOf(bufferLimit: BufferLimit = null): TransportShares {
    if (bufferLimit === null) return this.#shares;
    let shares = this.#byLimit.get(bufferLimit);
    if (shares === undefined) {
      const highWatermark = bufferLimit === 0 ? Number.POSITIVE_INFINITY : bufferLimit;
      shares = { ...this.#shares, highWatermark, lowWatermark: highWatermark / 2 };
      if (this.#byLimit.size >= KEPT_LIMITS) this.#byLimit.clear();
      this.#byLimit.set(bufferLimit, shares);
    }
    return shares;
  }

  #describe(socket: net.Socket, path: string, facts: AcceptFacts): ConnectionInfo {
    return {
      id: this.#ids.next(),
      localAddress: addressOf(socket.localAddress, socket.localPort, ""),
      remoteAddress: addressOf(socket.remoteAddress, socket.remotePort, path),
      tls: facts.tls ?? null,
      requestedServerName: facts.requestedServerName ?? null,
    };
  }
}

/** A socket that is not connected yet. */
class SocketAttempt implements ConnectAttempt {
  #socket: net.Socket | null = null;
  #over = false;
  readonly #onFailed: (error: Error) => void;
  readonly #onError = (error: Error): void => this.failed(error);

  constructor(onFailed: (error: Error) => void) {
    this.#onFailed = onFailed;
  }

  watch(socket: net.Socket): void {
    this.#socket = socket;
    socket.on("error", this.#onError);
  }

  /** False when it was given up before. */
  done(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#socket?.off("error", this.#onError);
    return true;
  }

  failed(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#onFailed(error);
  }

  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    this.#socket?.destroy();
  }
}

function addressOf(ip: string | undefined, port: number | undefined, path: string): SocketAddress {
  return ip === undefined || ip === "" || port === undefined ? pipeAddress(path) : socketAddress(ip, port);
}
