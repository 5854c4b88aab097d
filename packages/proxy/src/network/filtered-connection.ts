import type { Clock, DeadlineWheel } from "@mixerless/clock";
import { type ChainExchange, PeerExchange } from "../filters/tcp-proxy/peer-exchange.ts";
import { StreamInfo } from "../stream/stream-info.ts";
import type { ConnectionFilter, ConnectionFilterFactory, FilteredBy } from "./connection-filter.ts";
import type { ConnectionGate } from "./connection-gate.ts";
import { FilteredTransport } from "./filtered-transport.ts";
import type { NetworkContext, NetworkTerminal } from "./network-filter.ts";

/** Milliseconds that a client has to take what was sent to it before its connection is closed. */
const FLUSH_TIME = 5000;

/** What stands in front of the terminal filter, in the order of the chain. */
export type ChainStage =
  | { readonly gate: ConnectionGate }
  /** It holds, changes and ends. */
  | { readonly filter: ConnectionFilterFactory };

export interface FilteredChain {
  readonly stages: readonly ChainStage[];
  /** Clients are asked who they are before filters see their bytes; null: they aren't. */
  readonly exchange: ChainExchange | null;
  readonly clock: Clock;
  readonly wheel: DeadlineWheel;
}

/** A stage of one connection. */
type OpenStage = ConnectionGate | ConnectionFilter;

/** A connection with filters that have a say in it in front of its terminal filter. */
export class FilteredConnection implements NetworkTerminal, FilteredBy {
  readonly #chain: FilteredChain;
  readonly #info: StreamInfo;
  readonly #stages: readonly OpenStage[];
  readonly #transport: FilteredTransport;
  readonly #terminal: NetworkTerminal;
  /** The stage that the connection has come to; the number of stages once it is let in. */
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
    this.#stages = chain.stages
      .map((stage) => ("gate" in stage ? stage.gate : stage.filter.create(this.#info, this)))
      .filter((stage) => stage !== null);
    const frame = exchange === null ? null : PeerExchange.begin(exchange, "downstream", transport, filterState);
    const filters = this.#stages.filter(isFilter);
    this.#transport = new FilteredTransport(transport, this.#info, filters, frame);
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
    if (this.#stages[this.#at] !== filter) {
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
    for (; this.#at < this.#stages.length; this.#at++) {
      const stage = this.#stages[this.#at] as OpenStage;
      if (isFilter(stage)) {
        if (!stage.onNewConnection() || this.#closing) return;
        continue;
      }
      const refusal = stage.refusal(this.#info);
      if (refusal === null) continue;
      this.#closing = true;
      this.#info.connectionTerminationDetails = refusal;
      this.#terminal.close();
      return;
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

function isFilter(stage: OpenStage): stage is ConnectionFilter {
  return "onNewConnection" in stage;
}
