import type { Clock, Timer } from "@mixerless/clock";
import type { NetworkTerminal } from "../network/network-filter.ts";
import { FilterState } from "../stream/filter-state.ts";
import type { Transport } from "../transport/transport.ts";
import type { CompiledListener, ListenerChain } from "./compile-listener.ts";
import { chooseChain, type MatchFacts } from "./filter-chain-match.ts";
import type { ListenerSocket } from "./listener-socket.ts";
import type { ListenerStats } from "./listener-stats.ts";

/** The connections of one filter chain. */
interface ChainConnections {
  readonly chain: ListenerChain;
  readonly open: Set<NetworkTerminal>;
}

/**
 * A listener at work. Its chains can be replaced under it: connections of a chain that stays do not
 * notice, those of one that goes are drained [decision 10].
 */
export class ActiveListener {
  #config: CompiledListener;
  readonly #clock: Clock;
  readonly #stats: ListenerStats;
  readonly #byChain = new Map<string, ChainConnections>();
  readonly #drains = new Set<Timer>();
  #socket: ListenerSocket | null = null;
  #stopped = false;

  constructor(config: CompiledListener, clock: Clock, stats: ListenerStats) {
    this.#config = config;
    this.#clock = clock;
    this.#stats = stats;
    this.#adopt(config);
  }

  get config(): CompiledListener {
    return this.#config;
  }
  /** Null until it is bound; for ever when it shall not bind. */
  get socket(): ListenerSocket | null {
    return this.#socket;
  }
  get connections(): number {
    let count = 0;
    for (const { open } of this.#byChain.values()) count += open.size;
    return count;
  }

  bound(socket: ListenerSocket): void {
    if (this.#stopped) socket.close();
    else this.#socket = socket;
  }

  /** Takes over new chains; the address must be the same. */
  replace(config: CompiledListener, drainTime: number): void {
    this.#config = config;
    const kept = new Set([...config.chains, config.defaultChain].map((chain) => chain?.identity));
    for (const [identity, connections] of [...this.#byChain]) {
      if (kept.has(identity)) continue;
      this.#byChain.delete(identity);
      this.#drain(connections, drainTime);
    }
    this.#adopt(config);
  }

  accept(transport: Transport): void {
    this.#stats.downstreamCxTotal++;
    const chain = this.#choose(transport);
    const connections = chain === null ? undefined : this.#byChain.get(chain.identity);
    if (chain === null || connections === undefined) {
      this.#stats.noFilterChainMatch++;
      transport.destroy();
      return;
    }
    this.#stats.downstreamCxActive++;
    let terminal: NetworkTerminal | null = null;
    let closed = false;
    const onClosed = () => {
      closed = true;
      this.#stats.downstreamCxActive--;
      if (terminal !== null) connections.open.delete(terminal);
    };
    terminal = chain.factory.create({ transport, listener: chain.facts, filterState: new FilterState() }, onClosed);
    if (!closed) connections.open.add(terminal);
  }

  /** No new connections; open ones finish within `drainTime` milliseconds. */
  stop(drainTime: number): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#socket?.close();
    for (const connections of this.#byChain.values()) this.#drain(connections, drainTime);
  }

  /** Asks clients to go elsewhere but still accepts: the listener itself stays. */
  drainConnections(): void {
    for (const { open } of this.#byChain.values()) for (const terminal of [...open]) terminal.drain();
  }

  close(): void {
    this.#stopped = true;
    this.#socket?.close();
    for (const timer of this.#drains) timer.cancel();
    for (const { open, chain } of this.#byChain.values()) {
      for (const terminal of [...open]) terminal.close();
      chain.factory.close();
    }
    this.#byChain.clear();
  }

  #adopt(config: CompiledListener): void {
    for (const chain of [...config.chains, config.defaultChain]) {
      if (chain === null || this.#byChain.has(chain.identity)) continue;
      this.#byChain.set(chain.identity, { chain, open: new Set() });
    }
  }

  #drain(connections: ChainConnections, drainTime: number): void {
    for (const terminal of [...connections.open]) terminal.drain();
    const finish = () => {
      this.#drains.delete(timer);
      for (const terminal of [...connections.open]) terminal.close();
      connections.chain.factory.close();
    };
    const timer = this.#clock.after(drainTime, finish);
    this.#drains.add(timer);
  }

  #choose(transport: Transport): ListenerChain | null {
    const { chains, defaultChain } = this.#config;
    const { localAddress, remoteAddress, requestedServerName, tls } = transport.connection;
    const facts: MatchFacts = {
      destinationIp: localAddress.ip,
      destinationPort: localAddress.port,
      serverName: requestedServerName,
      transportProtocol: tls === null ? "raw_buffer" : "tls",
      applicationProtocols: [],
      sourceIp: remoteAddress.ip,
      sourcePort: remoteAddress.port,
    };
    return chooseChain(chains, facts) ?? defaultChain;
  }
}
