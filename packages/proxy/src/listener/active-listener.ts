import type { Clock, Timer } from "@mixerless/clock";
import type { NetworkTerminal } from "../network/network-filter.ts";
import { FilterState } from "../stream/filter-state.ts";
import type { IncomingConnection } from "../transport/incoming-connection.ts";
import type { Transport } from "../transport/transport.ts";
import type { CompiledListener, ListenerChain } from "./compile-listener.ts";
import { ConnectionRecord } from "./connection-record.ts";
import { ANY_CONNECTION, chooseChain, type MatchFacts } from "./filter-chain-match.ts";
import { InspectionGate } from "./inspection-gate.ts";
import type { OwnedSocket, SocketOwner } from "./listener-socket.ts";
import type { ListenerStats } from "./listener-stats.ts";
import { type FirstFacts, inspectTls, PLAINTEXT } from "./tls-inspector.ts";

/** The connections of one filter chain. */
interface ChainConnections {
  readonly chain: ListenerChain;
  readonly open: Set<NetworkTerminal>;
  /** Connections whose handshake is under way. */
  handshakes: number;
  /** Runs while the chain drains. */
  end: Timer | null;
}

/**
 * A listener at work. Its chains can be replaced under it: connections of a chain that stays do not
 * notice, those of one that goes are drained [decision 10].
 */
export class ActiveListener implements SocketOwner {
  #config: CompiledListener;
  readonly #clock: Clock;
  readonly #stats: ListenerStats;
  readonly #gate: InspectionGate;
  readonly #byChain = new Map<string, ChainConnections>();
  readonly #leaving = new Set<ChainConnections>();
  #socket: OwnedSocket | null = null;
  #stopped = false;
  #closed = false;
  #draining = false;
  /** Connections of which nothing is known yet. Until they are on a chain, none that leaves is given back. */
  #inspecting = 0;

  constructor(config: CompiledListener, clock: Clock, stats: ListenerStats) {
    this.#config = config;
    this.#clock = clock;
    this.#stats = stats;
    this.#gate = new InspectionGate(clock, stats);
    this.#adopt(config);
  }

  get config(): CompiledListener {
    return this.#config;
  }
  /** Null until it is bound; for ever when it shall not bind. */
  get socket(): OwnedSocket | null {
    return this.#socket;
  }
  /** It does not accept any more. */
  get stopped(): boolean {
    return this.#stopped;
  }
  get stats(): ListenerStats {
    return this.#stats;
  }
  /** Open ones of chains that are in use. */
  get connections(): number {
    let count = 0;
    for (const { open } of this.#byChain.values()) count += open.size;
    return count;
  }

  bound(socket: OwnedSocket): void {
    if (this.#stopped) {
      socket.close();
      return;
    }
    socket.owner = this;
    this.#socket = socket;
  }

  /** Gives the socket away, still accepting; null when there is none. */
  release(): OwnedSocket | null {
    const socket = this.#socket;
    this.#socket = null;
    return socket;
  }

  /** Takes over new chains; the address must be the same. */
  replace(config: CompiledListener, drainTime: number): void {
    this.#config = config;
    const kept = new Set([...config.chains, config.defaultChain].map((chain) => chain?.identity));
    for (const [identity, connections] of [...this.#byChain]) {
      if (kept.has(identity)) continue;
      this.#byChain.delete(identity);
      this.#leave(connections, drainTime);
    }
    this.#adopt(config);
  }

  accept(incoming: IncomingConnection): void {
    const { inspection, accessLogs } = this.#config;
    const record = accessLogs.length === 0 ? null : new ConnectionRecord(incoming, accessLogs, this.#clock);
    if (inspection === null) {
      this.#admit(incoming, PLAINTEXT, record);
      return;
    }
    this.#inspecting++;
    inspectTls(incoming, inspection.timeout, this.#gate, (hello) => {
      this.#inspecting--;
      const known = hello !== "silent" ? hello : inspection.continueOnTimeout ? PLAINTEXT : null;
      if (known !== null && !this.#closed) {
        this.#admit(incoming, known, record);
      } else {
        incoming.destroy();
        record?.failed(this.#config.facts, null);
      }
      for (const leaving of this.#leaving) this.#endIfEmpty(leaving);
    });
  }

  /** Puts the connection on the chain that fits it, in clear or after the chain's handshake. */
  #admit(incoming: IncomingConnection, first: FirstFacts, record: ConnectionRecord | null): void {
    record?.inspected(first.serverName);
    const chain = this.#choose(incoming, first);
    const connections = chain === null ? null : this.#connectionsOf(chain);
    if (chain === null || connections === null) {
      this.#stats.noFilterChainMatch++;
      incoming.destroy();
      record?.unmatched(this.#config.facts);
      return;
    }
    // As Envoy: what no chain takes has not become a connection of the listener.
    this.#stats.downstreamCxTotal++;
    const { bufferLimit } = this.#config;
    const { tls } = chain.factory;
    if (tls === null) {
      this.#serve(incoming.plaintext(first.serverName, bufferLimit), connections, record);
      return;
    }
    // A client of TLS 1.3 may send its first request before this end has seen the handshake's last message: even on a
    // chain that left meanwhile, the connection is served once.
    connections.handshakes++;
    incoming.secure(
      (raw, onSecured, onFailed) =>
        tls.secure(raw, first.applicationProtocols, onSecured, (details) => onFailed(new Error(details))),
      bufferLimit,
      (transport) => {
        connections.handshakes--;
        if (!this.#isGone(connections)) {
          this.#serve(transport, connections, record);
          return;
        }
        transport.destroy();
        record?.failed(chain.facts, null);
      },
      (error) => {
        connections.handshakes--;
        record?.failed(chain.facts, error.message);
        this.#endIfEmpty(connections);
      },
    );
  }

  /** Of a chain in use, or of one that is on its way out; null when it is gone. */
  #connectionsOf(chain: ListenerChain): ChainConnections | null {
    const used = this.#byChain.get(chain.identity);
    if (used !== undefined) return used;
    for (const leaving of this.#leaving) if (leaving.chain === chain) return leaving;
    return null;
  }

  #isGone(connections: ChainConnections): boolean {
    return this.#byChain.get(connections.chain.identity) !== connections && !this.#leaving.has(connections);
  }

  #serve(transport: Transport, connections: ChainConnections, record: ConnectionRecord | null): void {
    const { chain } = connections;
    const { facts: listener } = chain;
    const filterState = new FilterState();
    const info = record?.established(listener, transport.connection, filterState) ?? null;
    this.#stats.downstreamCxActive++;
    let terminal: NetworkTerminal | null = null;
    let closed = false;
    const onClosed = () => {
      closed = true;
      this.#stats.downstreamCxActive--;
      if (terminal !== null) connections.open.delete(terminal);
      record?.ended();
      this.#endIfEmpty(connections);
    };
    terminal = chain.factory.create({ transport, listener, filterState, info, admission: null }, onClosed);
    if (closed) return;
    connections.open.add(terminal);
    if (this.#draining || this.#leaving.has(connections)) terminal.drain();
  }

  /** No new connections; those that are open stay as they are. */
  stopAccepting(): void {
    this.#stopped = true;
    this.#socket?.close();
    this.#socket = null;
  }

  /** No new connections; open ones finish within `drainTime` milliseconds. */
  stop(drainTime: number): void {
    this.stopAccepting();
    for (const connections of this.#byChain.values()) this.#leave(connections, drainTime);
    this.#byChain.clear();
  }

  /** Asks clients to go elsewhere, those that come from now on too; the listener itself stays. */
  drainConnections(): void {
    this.#draining = true;
    for (const { open } of this.#byChain.values()) for (const terminal of [...open]) terminal.drain();
  }

  close(): void {
    this.#closed = true;
    this.stopAccepting();
    for (const connections of [...this.#byChain.values(), ...this.#leaving]) this.#end(connections);
    this.#byChain.clear();
  }

  #adopt(config: CompiledListener): void {
    for (const chain of [...config.chains, config.defaultChain]) {
      if (chain === null || this.#byChain.has(chain.identity)) continue;
      this.#byChain.set(chain.identity, { chain, open: new Set(), handshakes: 0, end: null });
    }
  }

  #leave(connections: ChainConnections, drainTime: number): void {
    this.#leaving.add(connections);
    connections.end = this.#clock.after(drainTime, () => this.#end(connections));
    for (const terminal of [...connections.open]) terminal.drain();
    this.#endIfEmpty(connections);
  }

  /** What a chain holds is given back with its last connection: changes may come many a second. */
  #endIfEmpty(connections: ChainConnections): void {
    if (!this.#leaving.has(connections) || this.#inspecting + connections.handshakes + connections.open.size > 0)
      return;
    connections.end?.cancel();
    // Not within the call that closed the connection: its streams may still be reporting.
    connections.end = this.#clock.after(0, () => this.#end(connections));
  }

  #end(connections: ChainConnections): void {
    connections.end?.cancel();
    this.#leaving.delete(connections);
    for (const terminal of [...connections.open]) terminal.close();
    connections.chain.factory.close();
  }

  #choose(incoming: IncomingConnection, first: FirstFacts): ListenerChain | null {
    const { chains, defaultChain } = this.#config;
    const [only] = chains;
    if (only !== undefined && chains.length === 1 && only.match.key === ANY_CONNECTION) return only;
    const { localAddress, remoteAddress } = incoming;
    const facts: MatchFacts = {
      ...first,
      destinationIp: localAddress.ip,
      destinationPort: localAddress.port,
      sourceIp: remoteAddress.ip,
      sourcePort: remoteAddress.port,
    };
    return chooseChain(chains, facts) ?? defaultChain;
  }
}
