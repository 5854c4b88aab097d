import type net from "node:net";
import { MemoryMedium, type MemoryTransportOptions } from "./memory-transport.ts";
import { socketAddress } from "./socket-address.ts";
import type { Transport } from "./transport.ts";
import type {
  ConnectAttempt,
  ConnectionIds,
  ConnectOptions,
  ConnectTarget,
  TransportFactory,
} from "./transport-factory.ts";

/** Addresses in memory: what listens here can be connected to, without a socket and under virtual time. */
export interface MemoryNetwork extends TransportFactory {
  /** Accepts connections to `ip:port`, or to every IP of the port when `ip` is `0.0.0.0`. */
  listen(ip: string, port: number, onConnection: (transport: Transport) => void): { close(): void };
}

const FIRST_EPHEMERAL_PORT = 32768;

export function createMemoryNetwork(options: MemoryTransportOptions = {}, ids?: ConnectionIds): MemoryNetwork {
  return new ListeningMedium(new MemoryMedium(options, ids));
}

class ListeningMedium implements MemoryNetwork {
  readonly #medium: MemoryMedium;
  readonly #listeners = new Map<string, (transport: Transport) => void>();
  #lastPort = FIRST_EPHEMERAL_PORT;

  constructor(medium: MemoryMedium) {
    this.#medium = medium;
  }

  listen(ip: string, port: number, onConnection: (transport: Transport) => void): { close(): void } {
    const key = `${ip}:${port}`;
    this.#listeners.set(key, onConnection);
    return { close: () => this.#listeners.delete(key) };
  }

  accept(_socket: net.Socket): Transport {
    throw new Error("A memory network has no sockets to accept: take transports from listen() instead.");
  }

  connect(
    target: ConnectTarget,
    options: ConnectOptions,
    onConnected: (transport: Transport) => void,
    onFailed: (error: Error) => void,
  ): ConnectAttempt {
    let cancelled = false;
    this.#medium.schedule(() => {
      if (!cancelled) this.#connect(target, options, onConnected, onFailed);
    });
    return {
      cancel: () => {
        cancelled = true;
      },
    };
  }

  #connect(
    target: ConnectTarget,
    options: ConnectOptions,
    onConnected: (transport: Transport) => void,
    onFailed: (error: Error) => void,
  ): void {
    const { host, port } = "path" in target ? { host: target.path, port: 0 } : target;
    const listener = this.#listeners.get(`${host}:${port}`) ?? this.#listeners.get(`0.0.0.0:${port}`);
    if (listener === undefined) {
      const message = `connect ECONNREFUSED ${host}:${port}: nothing listens there in this memory network`;
      onFailed(Object.assign(new Error(message), { code: "ECONNREFUSED" }));
      return;
    }
    this.#lastPort += 1;
    const from = socketAddress(options.localAddress ?? "127.0.0.1", this.#lastPort);
    const [near, far] = this.#medium.pair(from, socketAddress(host, port));
    this.#medium.schedule(() => listener(far));
    onConnected(near);
  }
}
