import type { Deadline } from "@mixerless/clock";
import { ClosedBy, type ExtensionConnection } from "../../extension-host/extension-connection.ts";
import type { HeaderMap } from "../../http/header-map.ts";
import type { ConnectionGate } from "../../network/connection-gate.ts";
import type { FilterChainContext } from "../../network/context.ts";
import type { NetworkContext, NetworkTerminal } from "../../network/network-filter.ts";
import { ResponseFlag } from "../../stream/response-flags.ts";
import { StreamInfo } from "../../stream/stream-info.ts";
import type { ConnectionInfo, Transport, TransportHandler } from "../../transport/transport.ts";
import type { Cancellable, LoadBalancerContext, PoolFailure, TcpPoolCallbacks } from "../../upstream/cluster.ts";
import type { Host } from "../../upstream/host.ts";
import type { TcpProxyConfig } from "./config.ts";
import { type ChainExchange, PeerExchange } from "./peer-exchange.ts";
import type { TcpProxyStats } from "./stats.ts";
import { UpstreamSide } from "./upstream-side.ts";

const NO_HOSTS: readonly Host[] = [];
const NO_PRIORITIES: ReadonlySet<number> = new Set();

/** What the connections of one TCP proxy have in common. */
export interface TcpProxyOwner {
  readonly context: FilterChainContext;
  readonly config: TcpProxyConfig;
  readonly gates: readonly ConnectionGate[];
  readonly stats: TcpProxyStats;
  /** Null: nobody on that side is asked who it is. */
  readonly downstreamExchange: ChainExchange | null;
  readonly upstreamExchange: ChainExchange | null;
}

/** A downstream connection joined to one upstream: bytes, half-closes and pauses pass both ways. */
export class TcpConnection implements NetworkTerminal, TransportHandler, TcpPoolCallbacks, LoadBalancerContext {
  readonly #owner: TcpProxyOwner;
  readonly #transport: Transport;
  readonly #observers: readonly ExtensionConnection[];
  /** What stands in front counts the bytes that come and go. */
  readonly #counted: boolean;
  readonly #onClosed: () => void;
  readonly info: StreamInfo;
  #upstream: UpstreamSide | null = null;
  /** While a peer's frame may still come on that side. */
  #fromDownstream: PeerExchange | null = null;
  #fromUpstream: PeerExchange | null = null;
  #pending: Cancellable | null = null;
  #attempts = 0;
  #closedByUs = false;
  #ended = false;
  #lastActivity = 0;
  #idle: Deadline | null = null;
  #duration: Deadline | null = null;
  readonly highPriority = false;
  readonly hostAttempts = 0;

  constructor(
    owner: TcpProxyOwner,
    network: NetworkContext,
    makeObservers: (info: StreamInfo) => readonly ExtensionConnection[],
    onClosed: () => void,
  ) {
    const { clock } = owner.context;
    this.#owner = owner;
    this.#transport = network.transport;
    this.#onClosed = onClosed;
    const connection = network.transport.connection;
    this.info =
      network.info ?? new StreamInfo(network.listener, connection, clock.now(), clock.monotonic(), network.filterState);
    this.#counted = network.admission !== null;
    this.#observers = makeObservers(this.info);
    owner.stats.connections.add(1);
    owner.stats.connectionsActive.add(1);
    // Nothing is read before there is somewhere to send it.
    network.transport.pause();
    network.transport.setHandler(this);
    this.#startTimers();
    const name = owner.config.chooseCluster(owner.context.random);
    this.info.cluster = owner.context.clusters.get(name);
    for (const observer of this.#observers) observer.onNewConnection();
    if (network.admission === null) this.#begin();
    else network.admission(() => this.#begin());
  }

  #begin(): void {
    if (this.#admitted()) this.#connect();
    else this.close();
  }

  #admitted(): boolean {
    for (const gate of this.#owner.gates) {
      this.info.connectionTerminationDetails = gate.refusal(this.info);
      if (this.info.connectionTerminationDetails !== null) return false;
    }
    return true;
  }

  get downstream(): ConnectionInfo {
    return this.info.downstream;
  }
  get requestHeaders(): HeaderMap | null {
    return null;
  }
  get hash(): bigint | null {
    return this.#owner.config.hash?.(this.info) ?? null;
  }
  get triedHosts(): readonly Host[] {
    return NO_HOSTS;
  }
  get triedPriorities(): ReadonlySet<number> {
    return NO_PRIORITIES;
  }

  // The upstream.

  #connect(): void {
    const { cluster } = this.info;
    if (cluster === null) {
      this.info.setFlag(ResponseFlag.NoClusterFound);
      this.#owner.stats.noRoute.add(1);
      this.close();
      return;
    }
    this.#attempts++;
    this.info.attemptCount = this.#attempts;
    const pending = cluster.newConnection(this, this);
    // It may have called back already, which a later attempt may have overtaken.
    if (pending !== null) this.#pending = pending;
  }

  onReady(transport: Transport, host: Host): void {
    this.#pending = null;
    if (this.#ended) {
      transport.destroy();
      return;
    }
    const { info } = this;
    info.upstreamHost = host;
    info.upstreamConnection = transport.connection;
    info.upstreamConnected = this.#owner.context.clock.monotonic();
    this.#beginExchange(transport);
    this.#upstream = new UpstreamSide(transport, this);
    this.#transport.resume();
  }

  /** An inbound proxy wants to know its client, any other the server. */
  #beginExchange(upstream: Transport): void {
    const { downstreamExchange, upstreamExchange } = this.#owner;
    const { filterState } = this.info;
    if (downstreamExchange !== null) {
      this.#fromDownstream = PeerExchange.begin(downstreamExchange, "downstream", this.#transport, filterState);
      return;
    }
    this.#fromUpstream = PeerExchange.begin(upstreamExchange, "upstream", upstream, filterState);
    this.#fromUpstream?.tell(upstream);
  }

  onFailure(reason: PoolFailure, host: Host | null, details: string): void {
    this.#pending = null;
    if (this.#ended) return;
    const { info } = this;
    info.upstreamHost = host;
    if (details !== "") info.upstreamTransportFailure = details;
    if (reason === "no-healthy-upstream") info.setFlag(ResponseFlag.NoHealthyUpstream);
    else if (reason === "overflow") info.setFlag(ResponseFlag.UpstreamOverflow);
    else {
      if (host !== null) info.cluster?.reportOutcome(host, 0, true);
      if (this.#attempts < this.#owner.config.maxConnectAttempts) {
        this.#connect();
        return;
      }
      info.setFlag(ResponseFlag.UpstreamConnectionFailure | ResponseFlag.UpstreamRetryLimitExceeded);
    }
    this.close();
  }

  upstreamData(buffer: Buffer, start: number, end: number): void {
    this.#touch();
    const exchange = this.#fromUpstream;
    if (exchange === null) {
      this.#toDownstream(buffer, start, end);
      return;
    }
    const rest = exchange.read(buffer, start, end);
    if (exchange.over) this.#fromUpstream = null;
    if (rest.length > 0) this.#toDownstream(rest, 0, rest.length);
  }

  #toDownstream(buffer: Buffer, start: number, end: number): void {
    if (!this.#counted) this.info.bytesSent += end - start;
    for (const observer of this.#observers) observer.onUpstreamData(end - start, false);
    this.#transport.append(buffer, start, end);
    if (this.#transport.congested) this.#upstream?.pause();
  }

  upstreamDrained(): void {
    this.#transport.resume();
  }

  upstreamEnded(): void {
    const held = this.#fromUpstream?.finish();
    this.#fromUpstream = null;
    if (held !== undefined && held.length > 0) this.#toDownstream(held, 0, held.length);
    for (const observer of this.#observers) observer.onUpstreamData(0, true);
    this.#transport.end();
  }

  /** Without an error both sides had ended before, and the downstream follows by itself. */
  upstreamClosed(error: Error | null): void {
    for (const observer of this.#observers) observer.onUpstreamClose(ClosedBy.Peer);
    if (error === null || this.#ended) return;
    if (isReset(error)) this.info.setFlag(ResponseFlag.UpstreamRemoteReset);
    this.#transport.flush();
    this.#transport.destroy();
  }

  // The downstream.

  onData(buffer: Buffer, start: number, end: number): void {
    this.#touch();
    const exchange = this.#fromDownstream;
    if (exchange === null) {
      this.#toUpstream(buffer, start, end);
      return;
    }
    exchange.tell(this.#transport);
    const rest = exchange.read(buffer, start, end);
    if (exchange.over) this.#fromDownstream = null;
    if (rest.length > 0) this.#toUpstream(rest, 0, rest.length);
  }

  #toUpstream(buffer: Buffer, start: number, end: number): void {
    if (!this.#counted) this.info.bytesReceived += end - start;
    for (const observer of this.#observers) observer.onDownstreamData(end - start, false);
    const upstream = this.#upstream;
    if (upstream === null) return;
    upstream.send(buffer, start, end);
    if (upstream.congested) this.#transport.pause();
  }

  onDrain(): void {
    this.#upstream?.resume();
  }

  onEnd(): void {
    const held = this.#fromDownstream?.finish();
    this.#fromDownstream = null;
    if (held !== undefined && held.length > 0) this.#toUpstream(held, 0, held.length);
    for (const observer of this.#observers) observer.onDownstreamData(0, true);
    this.#upstream?.end();
  }

  onClose(error: Error | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#pending?.cancel();
    this.#idle?.cancel();
    this.#duration?.cancel();
    if (error !== null || this.#closedByUs) this.#upstream?.destroy();
    this.#finish();
    this.#onClosed();
  }

  /** A TCP connection cannot be asked to end; it is closed when the drain time is over [decision 10]. */
  drain(): void {}

  close(): void {
    if (this.#ended || this.#closedByUs) return;
    this.#closedByUs = true;
    this.#upstream?.destroy();
    this.#transport.destroy();
  }

  #finish(): void {
    const { info } = this;
    const { stats, config, context } = this.#owner;
    info.ended = context.clock.monotonic();
    info.wireBytesReceived = info.bytesReceived;
    info.wireBytesSent = info.bytesSent;
    info.upstreamWireBytesReceived = info.bytesSent;
    info.upstreamWireBytesSent = info.bytesReceived;
    for (const observer of this.#observers) {
      observer.onDownstreamClose(this.#closedByUs ? ClosedBy.Us : ClosedBy.Peer);
      observer.onLog();
    }
    for (const logger of config.accessLogs) logger.log(info);
    stats.connectionsActive.add(-1);
    stats.received.add(info.bytesReceived);
    stats.sent.add(info.bytesSent);
  }

  // Limits.

  #startTimers(): void {
    const { config, context } = this.#owner;
    this.#lastActivity = context.clock.monotonic();
    if (config.idleTimeout > 0) this.#idle = context.wheel.after(config.idleTimeout, () => this.#checkIdle());
    if (config.maxDuration > 0) this.#duration = context.wheel.after(config.maxDuration, () => this.#outlived());
  }

  #touch(): void {
    if (this.#idle !== null) this.#lastActivity = this.#owner.context.clock.monotonic();
  }

  #checkIdle(): void {
    const { config, context, stats } = this.#owner;
    const left = this.#lastActivity + config.idleTimeout - context.clock.monotonic();
    if (left > 0) {
      this.#idle = context.wheel.after(left, () => this.#checkIdle());
      return;
    }
    stats.idleTimeout.add(1);
    this.close();
  }

  #outlived(): void {
    this.info.setFlag(ResponseFlag.DurationTimeout);
    this.close();
  }
}

function isReset(error: Error): boolean {
  return (error as NodeJS.ErrnoException).code === "ECONNRESET";
}
