import { constants } from "node:crypto";
import type { Socket } from "node:net";
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from "node:tls";
import type { Clock, DeadlineWheel } from "@mixerless/clock";
import type { SecuredSocket } from "../transport/transport-factory.ts";
import type { TlsConfig } from "./compile-tls.ts";
import { ContextHolder } from "./context-holder.ts";
import { HandshakeRate } from "./handshake-rate.ts";
import { checkPeer } from "./peer-check.ts";
import type { SecretSource } from "./secret-store.ts";
import type { TlsStats } from "./stats.ts";

/** A compiled DownstreamTlsContext. */
export interface DownstreamTlsConfig {
  readonly tls: TlsConfig;
  readonly requireClientCertificate: boolean;
  readonly requireSni: boolean;
  /** Clients that need no certificate may come back with a ticket instead of a full handshake. */
  readonly tickets: boolean;
}

export interface DownstreamTlsOptions {
  readonly config: DownstreamTlsConfig;
  readonly secrets: SecretSource;
  readonly clock: Clock;
  readonly wheel: DeadlineWheel;
  readonly stats: TlsStats;
  /** Milliseconds that a client has for its handshake. Default 10 s. */
  readonly handshakeTimeout?: number;
  /** Handshakes that may be under way at once; each holds a few 10 KiB. Default 1,000. The oldest makes room for the next. */
  readonly maxHandshakes?: number;
  /** Handshakes that may begin in a second, and at once: each costs a signature. Default 5,000. */
  readonly maxHandshakeRate?: number;
}

interface Handshake {
  readonly done: (socket: TLSSocket) => void;
  readonly failed: () => void;
  readonly crowdedOut: () => void;
}

/**
 * Node's TLS refuses a client with whom it shares no protocol. Envoy goes on without one, and the mesh needs that:
 * a client offers `istio` to tell what it is, which no server chooses.
 */
interface Servers {
  readonly named: Server;
  /** Chooses no protocol. */
  readonly unnamed: Server;
}

const HANDSHAKE_TIMEOUT = 10_000;
const MAX_HANDSHAKES = 1000;
const MAX_HANDSHAKE_RATE = 5000;

/**
 * The server's side of TLS for the connections of one filter chain. Clients that must show a certificate
 * get no session tickets: a resumed session would bring the verdict of the day it was made.
 */
export class DownstreamTls {
  readonly #options: DownstreamTlsOptions;
  readonly #holder: ContextHolder<Servers>;
  readonly #rate: HandshakeRate;
  /** By the addresses of both ends, under way. */
  readonly #handshakes = new Map<string, Handshake>();

  constructor(options: DownstreamTlsOptions) {
    this.#options = options;
    this.#rate = new HandshakeRate(options.maxHandshakeRate ?? MAX_HANDSHAKE_RATE);
    this.#holder = new ContextHolder(options.config.tls, options.secrets, (context) => this.#createServers(context));
  }

  /**
   * Does the handshake on an accepted socket, of which nothing was read, or all that was read was given
   * back. `onSecured` follows once, or never: then the socket is destroyed and the reason counted. `offered`:
   * the protocols of the ClientHello, as far as somebody looked at it.
   */
  secure(
    raw: Socket,
    offered: readonly string[],
    onSecured: (secured: SecuredSocket) => void,
    onFailed: (details: string) => void,
  ): void {
    const { stats, wheel, handshakeTimeout = HANDSHAKE_TIMEOUT, maxHandshakes = MAX_HANDSHAKES } = this.#options;
    const fail = (counter: { add(n: number): void }, details: string) => {
      counter.add(1);
      raw.destroy();
      onFailed(details);
    };
    const servers = this.#holder.get(this.#options.clock.now());
    if (typeof servers === "string") {
      fail(stats.secretsMissing, `TLS context: ${servers}`);
      return;
    }
    if (!this.#rate.take(this.#options.clock.monotonic())) {
      fail(stats.rateLimited, "too many TLS handshakes in a short time");
      return;
    }
    // Who is on the way longest is the least likely to mean it.
    if (this.#handshakes.size >= maxHandshakes) this.#handshakes.values().next().value?.crowdedOut();
    const key = keyOf(raw);
    let over = false;
    const end = () => {
      if (over) return false;
      over = true;
      this.#handshakes.delete(key);
      deadline.cancel();
      raw.off("close", onGone);
      return true;
    };
    const onGone = () => {
      if (end()) fail(stats.errors, "TLS handshake failed");
    };
    const deadline = wheel.after(handshakeTimeout, () => {
      if (end()) fail(stats.timeouts, "TLS handshake timed out");
    });
    raw.once("close", onGone);
    this.#handshakes.set(key, {
      failed: onGone,
      crowdedOut: () => {
        if (end()) fail(stats.overflow, "too many TLS handshakes are under way");
      },
      done: (socket) => {
        socket.allowHalfOpen = true;
        if (end()) this.#judge(socket, onSecured, onFailed);
      },
    });
    // Who says no more before the end of the handshake will not come to it.
    raw.allowHalfOpen = false;
    const { alpn } = this.#options.config.tls;
    const none = offered.length > 0 && !offered.some((protocol) => alpn.includes(protocol));
    (none ? servers.unnamed : servers.named).emit("connection", raw);
  }

  close(): void {
    this.#holder.close();
  }

  #judge(socket: TLSSocket, onSecured: (secured: SecuredSocket) => void, onFailed: (details: string) => void): void {
    const { config, stats, clock } = this.#options;
    const requestedServerName = typeof socket.servername === "string" ? socket.servername.toLowerCase() : null;
    if (config.requireSni && requestedServerName === null) {
      stats.errors.add(1);
      socket.once("error", () => {});
      socket.destroy();
      onFailed("the client named no server");
      return;
    }
    const check = checkPeer(socket, {
      config: config.tls,
      required: config.requireClientCertificate,
      ownCertificate: this.#holder.certificate,
      now: clock.now(),
    });
    if (check.failure !== null) {
      stats.verifyFailures[check.failure].add(1);
      socket.once("error", () => {});
      socket.destroy();
      onFailed(check.details);
      return;
    }
    stats.handshakes.add(1);
    onSecured({ socket, tls: check.info, requestedServerName });
  }

  #createServers(context: SecureContextOptions): Servers {
    const { alpn } = this.#options.config.tls;
    const unnamed = this.#createServer(context, []);
    return { named: alpn.length === 0 ? unnamed : this.#createServer(context, alpn), unnamed };
  }

  #createServer(context: SecureContextOptions, alpn: readonly string[]): Server {
    const { tls, tickets } = this.#options.config;
    const asks = tls.roots !== null;
    const server = createServer({
      ...context,
      ...(alpn.length > 0 ? { ALPNProtocols: [...alpn] } : {}),
      ...(asks || !tickets ? { secureOptions: constants.SSL_OP_NO_TICKET } : {}),
      requestCert: asks,
      // Judged by us, so that each kind of failure has its counter.
      rejectUnauthorized: false,
      // The deadline wheel keeps the time.
      handshakeTimeout: 0x7fffffff,
      allowHalfOpen: true,
    });
    server.on("secureConnection", (socket) => {
      const handshake = this.#handshakes.get(keyOf(socket));
      if (handshake === undefined) socket.destroy();
      else handshake.done(socket);
    });
    server.on("tlsClientError", (_error, socket) => this.#handshakes.get(keyOf(socket))?.failed());
    return server;
  }
}

/** Two connections at one time differ in it. */
function keyOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): string {
  return `${localAddress} ${localPort} ${remoteAddress} ${remotePort}`;
}
