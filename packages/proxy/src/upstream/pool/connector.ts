import type { ClientConnection, ClientConnectionCallbacks } from "../../http/codec.ts";
import type { UpstreamTls } from "../../tls/upstream-tls.ts";
import type { BufferLimit, SocketAddress, Transport } from "../../transport/transport.ts";
import type { Cancellable } from "../cluster.ts";

/** How a connection to a host is made. */
export interface ConnectSettings {
  /** Null: any. */
  readonly localAddress: string | null;
  /** Null: in clear. */
  readonly tls: UpstreamTls | null;
  /** Of the handshake; null: those of `tls`. */
  readonly alpn: readonly string[] | null;
  readonly bufferLimit: BufferLimit;
}

/** The only way down from a pool: opens transports and puts a codec on them. */
export interface Connector {
  /** Exactly one of the callbacks is called, never before connect returns. */
  connect(
    target: SocketAddress,
    settings: ConnectSettings,
    onConnected: (transport: Transport) => void,
    onFailed: (error: Error) => void,
  ): Cancellable;
  createHttpConnection(transport: Transport, callbacks: ClientConnectionCallbacks): ClientConnection;
}
