import type { SocketAddress, Transport } from "../transport/transport.ts";

/** An address that accepts connections. */
export interface ListenerSocket {
  /** The address bound to; with port 0 asked for, the one that was given. */
  readonly address: SocketAddress;
  /** Stops accepting. Accepted connections stay. */
  close(): void;
}

/** Opens listener sockets. Rejects with the system's error when the address cannot be bound. */
export type ListenerSocketFactory = (
  address: SocketAddress,
  onConnection: (transport: Transport) => void,
) => Promise<ListenerSocket>;
