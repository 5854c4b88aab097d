import type { Clock, DeadlineWheel } from "@mixerless/clock";
import { type ChainExchange, PeerExchange } from "../filters/tcp-proxy/peer-exchange.ts";
import { StreamInfo } from "../stream/stream-info.ts";
import type { ConnectionFilter, ConnectionFilterFactory, FilteredBy } from "./connection-filter.ts";
import { FilteredTransport } from "./filtered-transport.ts";
import type { NetworkContext, NetworkTerminal } from "./network-filter.ts";

/** Milliseconds that a client has to take what was sent to it before its connection is closed. */
const FLUSH_TIME = 5000;

export interface FilteredChain {
  /** What stands in front of the terminal filter, in order. */
  readonly filters: readonly ConnectionFilterFactory[];
  /** Clients are asked who they are before filters see their bytes; null: they aren't. */
  readonly exchange: ChainExchange | null;
  readonly clock: Clock;
  readonly wheel: DeadlineWheel;
}

/** A connection with filters that have a say in it in front of its terminal filter. */
export class FilteredConnection implements NetworkTerminal, FilteredBy {
  readonly #chain: FilteredChain;
  readonly #info: StreamInfo;
  readonly #filters: readonly ConnectionFilter[];
  readonly #transport: FilteredTransport;
  readonly #terminal: NetworkTerminal;
  /** The filter that the connection has come to; the number of filters once it is let in. */
  #at = 0;
  #goOn: () => void = () => {};
  #closing = false;

  constructor(
    chain: FilteredChain,
    network: NetworkContext,
    openTerminal: (network: NetworkContext) => NetworkTerminal,
  ) {
    const { clock, exchange } = chain;
    const { transport, listener, filterState } = network;
    this.#chain = chain;
    this.#info =
      network.info ?? new StreamInfo(listener, transport.connection, clock.now(), clock.monotonic(), filterState);
    this.#filters = chain.filters.map((filter) => filter.create(this.#info, this)).filter((filter) => filter !== null);
    const frame = exchange === null ? null : PeerExchange.begin(exchange, "downstream", transport, filterState);
    this.#transport = new FilteredTransport(transport, this.#info, this.#filters, frame);
    this.#transport.onOver = () => {
      this.#closing = true;
      this.#info.ended = clock.monotonic();
    };
    const admission = (goOn: () => void) => {
      this.#goOn = goOn;
    };
    this.#terminal = openTerminal({ ...network, transport: this.#transport, info: this.#info, admission });
    this.#advance();
  }

  drain(): void {
    this.#terminal.drain();
  }

  resume(filter: ConnectionFilter): void {
    if (this.#closing) return;
    if (this.#filters[this.#at] !== filter) {
      this.#transport.release(filter);
      return;
    }
    this.#at++;
    this.#advance();
  }

  resumeWrites(filter: ConnectionFilter): void {
    this.#transport.releaseWrites(filter);
  }

  /** Also the end of the drain time, by which nothing waits any more. */
  close(details?: string): void {
    if (details === undefined) {
      this.#terminal.close();
      return;
    }
    if (this.#closing) return;
    this.#closing = true;
    this.#info.connectionTerminationDetails = details;
    this.#transport.stop();
    // What the filter has just let through is written first.
    queueMicrotask(() => this.#flushAndClose());
  }

  #advance(): void {
    for (; this.#at < this.#filters.length; this.#at++) {
      if (this.#filters[this.#at]?.onNewConnection() === false || this.#closing) return;
    }
    this.#goOn();
    this.#transport.admit();
  }

  #flushAndClose(): void {
    this.#transport.flush();
    if (this.#transport.unsent === 0) {
      this.#terminal.close();
      return;
    }
    this.#transport.endSent();
    this.#chain.wheel.after(FLUSH_TIME, () => this.#terminal.close());
  }
}
