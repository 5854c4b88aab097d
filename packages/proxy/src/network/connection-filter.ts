import type { StreamInfo } from "../stream/stream-info.ts";

/** A network filter with a say in one connection: it can hold, change and end what passes. */
export interface ConnectionFilter {
  /** False: the connection waits until {@link FilteredBy.resume}. */
  onNewConnection(): boolean;
  /** Bytes of the client, valid during the call. Gives what goes on now; null: all is held. */
  onRead(bytes: Buffer, end: boolean): Buffer | null;
  /** Bytes for the client; the same. */
  onWrite(bytes: Buffer, end: boolean): Buffer | null;
  /** What it holds of the client's bytes, and from then on no longer. */
  takeRead(): Buffer;
  takeWrite(): Buffer;
  /** It holds as much of the client's bytes as it may. */
  readonly full: boolean;
  /** The connection is over; the last call. */
  onClosed(byPeer: boolean): void;
}

/** The connection as its filters see it. */
export interface FilteredBy {
  /** The filter lets go of the connection, or of what it holds of the client's bytes. */
  resume(filter: ConnectionFilter): void;
  /** It lets go of what it holds for the client. */
  resumeWrites(filter: ConnectionFilter): void;
  /** Ends the connection when all that is on its way to the client has been sent. */
  close(details: string): void;
}

/** Makes a filter for each connection of a filter chain. */
export interface ConnectionFilterFactory {
  /** Null: the connection goes on without it. */
  create(info: StreamInfo, connection: FilteredBy): ConnectionFilter | null;
  /** Its configuration is still waited for. */
  readonly warming: boolean;
  /** It can't do its work yet, which takes a moment: chains that others can stand in for wait. */
  readonly starting?: boolean;
  close(): void;
}
