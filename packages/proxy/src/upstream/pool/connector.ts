import type { ClientConnection, ClientConnectionCallbacks } from "../../http/codec.ts";
import type { UpstreamTls } from "../../tls/upstream-tls.ts";
import type { SocketAddress, Transport } from "../../transport/transport.ts";
import type { Cancellable } from "../cluster.ts";

/** The only way down from a pool: opens transports and puts a codec on them. */
export interface Connector {
  /**
   * `localAddress` null: any; `tls` null: in clear. Exactly one of the callbacks is called, never before
   * connect returns.
   */
  connect(
    target: SocketAddress,
    localAddress: string | null,
    tls: UpstreamTls | null,
    onConnected: (transport: Transport) => void,
    onFailed: (error: Error) => void,
  ): Cancellable;
  createHttpConnection(transport: Transport, callbacks: ClientConnectionCallbacks): ClientConnection;
}
