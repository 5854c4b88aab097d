import type { FilterState } from "../stream/filter-state.ts";
import type { ListenerFacts, StreamInfo } from "../stream/stream-info.ts";
import type { Transport } from "../transport/transport.ts";

/** What a network filter learns about its connection. */
export interface NetworkContext {
  readonly transport: Transport;
  readonly listener: ListenerFacts;
  readonly filterState: FilterState;
  /** The connection's own record where its listener logs connections; the terminal filter adds what it learns. */
  readonly info: StreamInfo | null;
  /**
   * Calls `goOn` once the filters in front have let the connection in; where there are such filters, they count its
   * bytes too. Null: nothing stands in front.
   */
  readonly admission: ((goOn: () => void) => void) | null;
}

/**
 * The terminal filter of a filter chain for one connection: an HTTP connection manager or a TCP
 * proxy. It owns the transport from the moment it is made.
 */
export interface NetworkTerminal {
  /** Decision 10: HTTP answers with `connection: close`, idle connections stay until then. */
  drain(): void;
  /** The drain time is over, or the process stops. */
  close(): void;
}

/** Made once per filter chain and kept across connections. */
export interface NetworkTerminalFactory {
  /** Called for each accepted connection that matched the chain. `onClosed` is called once it is gone. */
  create(context: NetworkContext, onClosed: () => void): NetworkTerminal;
  close(): void;
}
