import type { Socket } from "node:net";
import { connect, createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import type { Clock } from "@mixerless/clock";
import type { SecuredSocket } from "../transport/transport-factory.ts";
import type { TlsConfig } from "./compile-tls.ts";
import { ContextHolder } from "./context-holder.ts";
import { checkPeer } from "./peer-check.ts";
import type { SecretSource } from "./secret-store.ts";
import type { TlsStats } from "./stats.ts";

/** A compiled UpstreamTlsContext. */
export interface UpstreamTlsConfig {
  readonly tls: TlsConfig;
  /** Empty: none is sent. */
  readonly sni: string;
}

export interface UpstreamTlsOptions {
  readonly config: UpstreamTlsConfig;
  readonly secrets: SecretSource;
  readonly clock: Clock;
  readonly stats: TlsStats;
}

/** The client's side of TLS for the connections of one cluster. */
export class UpstreamTls {
  readonly #options: UpstreamTlsOptions;
  readonly #holder: ContextHolder<SecureContext>;

  constructor(options: UpstreamTlsOptions) {
    this.#options = options;
    this.#holder = new ContextHolder(options.config.tls, options.secrets, (context) => createSecureContext(context));
  }

  /**
   * Does the handshake on a connected socket. Exactly one of the callbacks follows, unless the socket is
   * destroyed by the caller before. `alpn`: what the connection will speak, whatever HTTP the configuration names;
   * names of the mesh among those go on being said, as servers choose by them. There is no time-out here.
   */
  secure(
    raw: Socket,
    alpn: readonly string[] | null,
    onSecured: (secured: SecuredSocket) => void,
    onFailed: (error: Error) => void,
  ): void {
    const { config, stats } = this.#options;
    const context = this.#holder.get(this.#options.clock.now());
    if (typeof context === "string") {
      stats.secretsMissing.add(1);
      raw.destroy();
      process.nextTick(() => onFailed(new Error(`TLS context: ${context}`)));
      return;
    }
    const protocols =
      alpn === null ? config.tls.alpn : [...config.tls.alpn.filter((name) => !namesHttp(name, alpn)), ...alpn];
    const socket = connect({
      socket: raw,
      secureContext: context,
      // Judged by us: mesh names are not host names.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      ...(config.sni === "" ? {} : { servername: config.sni }),
      ...(protocols.length === 0 ? {} : { ALPNProtocols: [...protocols] }),
    });
    let over = false;
    const onError = (error: Error) => {
      if (over) return;
      over = true;
      stats.errors.add(1);
      socket.destroy();
      onFailed(new Error(`TLS error: ${error.message}`));
    };
    socket.once("error", onError);
    socket.once("close", () => onError(new Error("the peer closed the connection during the handshake")));
    socket.once("secureConnect", () => {
      if (over) return;
      over = true;
      socket.off("error", onError);
      this.#judge(socket, onSecured, onFailed);
    });
  }

  close(): void {
    this.#holder.close();
  }

  #judge(socket: TLSSocket, onSecured: (secured: SecuredSocket) => void, onFailed: (error: Error) => void): void {
    const { config, stats, clock } = this.#options;
    const check = checkPeer(socket, {
      config: config.tls,
      required: config.tls.roots !== null,
      ownCertificate: this.#holder.certificate,
      now: clock.now(),
    });
    if (check.failure !== null) {
      stats.verifyFailures[check.failure].add(1);
      socket.once("error", () => {});
      socket.destroy();
      onFailed(new Error(`TLS error: ${check.details}`));
      return;
    }
    stats.handshakes.add(1);
    onSecured({ socket, tls: check.info, requestedServerName: config.sni === "" ? null : config.sni });
  }
}

/** Whether a protocol's name stands for HTTP of another version than those wanted, or is one of these. */
function namesHttp(name: string, wanted: readonly string[]): boolean {
  return wanted.includes(name) || name === "h2" || /http\/\d(\.\d)?$/.test(name);
}
