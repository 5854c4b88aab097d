import type { IncomingConnection } from "../transport/incoming-connection.ts";
import type { SocketAddress } from "../transport/transport.ts";

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
  onConnection: (incoming: IncomingConnection) => void,
) => Promise<ListenerSocket>;

/** Who takes the connections of a socket. */
export interface SocketOwner {
  accept(incoming: IncomingConnection): void;
}

/** A socket that can pass from one listener to another without a moment in which nobody accepts. */
export interface OwnedSocket extends ListenerSocket {
  owner: SocketOwner;
}

/** Opens a socket for its first owner. Rejects as {@link ListenerSocketFactory}. */
export async function openSocket(
  listen: ListenerSocketFactory,
  address: SocketAddress,
  owner: SocketOwner,
): Promise<OwnedSocket> {
  const holder = { owner };
  const { address: bound, close } = await listen(address, (incoming) => holder.owner.accept(incoming));
  return Object.assign(holder, { address: bound, close });
}
