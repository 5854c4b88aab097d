import type { Deadline } from "@mixerless/clock";
import type { FilterChainContext } from "../../network/context.ts";
import type { NetworkContext, NetworkTerminal } from "../../network/network-filter.ts";
import type { FilterState } from "../../stream/filter-state.ts";
import type { ListenerFacts, StreamInfo } from "../../stream/stream-info.ts";
import type { Transport } from "../../transport/transport.ts";
import type {
  ConnectionLimit,
  RefusedRequest,
  RequestDecoder,
  ResponseEncoder,
  ServerConnection,
  ServerConnectionCallbacks,
} from "../codec.ts";
import { HttpStream } from "./http-stream.ts";
import type { ManagerConfig } from "./manager-config.ts";
import { logRefused } from "./refused-stream.ts";
import type { DateHeader } from "./response-headers.ts";
import type { HttpConnectionManagerStats } from "./stats.ts";
import { StreamIdleWatch } from "./stream-idle-watch.ts";
import type { StreamOwner } from "./stream-owner.ts";

/** What the connections of one connection manager have in common. */
export interface ConnectionOwner {
  readonly context: FilterChainContext;
  readonly date: DateHeader;
  /** The newest; each stream keeps the one it began with. */
  readonly config: ManagerConfig;
  readonly stats: HttpConnectionManagerStats;
}

/** A downstream connection that speaks HTTP. */
export class HttpConnection implements NetworkTerminal, ServerConnectionCallbacks, StreamOwner {
  readonly #owner: ConnectionOwner;
  readonly #transport: Transport;
  readonly #codec: ServerConnection;
  readonly #onClosed: () => void;
  readonly listener: ListenerFacts;
  readonly filterState: FilterState;
  readonly idleWatch: StreamIdleWatch;
  #draining = false;
  #durationDeadline: Deadline | null = null;

  constructor(owner: ConnectionOwner, network: NetworkContext, onClosed: () => void) {
    this.#owner = owner;
    this.#transport = network.transport;
    this.#onClosed = onClosed;
    this.listener = network.listener;
    this.filterState = network.filterState;
    if (network.info !== null) network.info.protocol = "HTTP/1.1";
    this.idleWatch = new StreamIdleWatch(owner.context.clock, owner.context.wheel);
    owner.stats.connections.add(1);
    owner.stats.connectionsActive.add(1);
    owner.stats.http1Connections.add(1);
    owner.stats.http1ConnectionsActive.add(1);
    this.#codec = owner.context.createServerConnection(network.transport, this, owner.config.codec);
    const { max, drain } = owner.config.duration;
    if (max > 0) this.#durationDeadline = owner.context.wheel.after(max, () => this.#durationReached(drain));
  }

  get context(): FilterChainContext {
    return this.#owner.context;
  }
  get stats(): HttpConnectionManagerStats {
    return this.#owner.stats;
  }
  get date(): DateHeader {
    return this.#owner.date;
  }
  get closesAfterResponse(): boolean {
    return this.#draining;
  }

  onStream(encoder: ResponseEncoder): RequestDecoder {
    this.stats.requests.add(1);
    this.stats.http1Requests.add(1);
    this.stats.requestsActive.add(1);
    return new HttpStream(this, this.#owner.config, encoder);
  }

  onRefused(request: RefusedRequest): void {
    this.stats.requests.add(1);
    this.stats.http1Requests.add(1);
    if (request.kind === "protocol-error") this.stats.protocolErrors.add(1);
    else if (request.kind === "header-timeout") this.stats.headerTimeout.add(1);
    else if (request.kind === "upgrade") this.stats.upgradeRefused.add(1);
    this.#countStatus(logRefused(request, this, this.#owner.config, this.#codec.connection));
  }

  onLimit(limit: ConnectionLimit): void {
    if (limit === "idle-timeout") this.stats.connectionIdleTimeout.add(1);
    else this.stats.maxRequestsReached.add(1);
  }

  onClose(): void {
    this.#durationDeadline?.cancel();
    this.idleWatch.close();
    this.stats.connectionsActive.add(-1);
    this.stats.http1ConnectionsActive.add(-1);
    this.stats.connectionsDestroyed.add(1);
    this.stats.received.add(this.#transport.bytesRead);
    this.stats.sent.add(this.#transport.bytesWritten);
    this.#onClosed();
  }

  streamEnded(info: StreamInfo): void {
    this.stats.requestsActive.add(-1);
    this.#countStatus(info);
  }

  /** The next response says `connection: close`; an idle connection stays until then [decision 10]. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.stats.drainClose.add(1);
  }

  close(): void {
    this.#codec.close();
  }

  /** As Envoy does: the next response is the last, and a connection that none comes to is closed after a while. */
  #durationReached(drain: number): void {
    this.stats.maxDurationReached.add(1);
    this.#draining = true;
    this.#durationDeadline = this.#owner.context.wheel.after(drain, () => {
      if (this.#codec.activeStreams === 0) this.#codec.close();
    });
  }

  #countStatus(info: StreamInfo): void {
    this.stats.completed.add(1);
    this.stats.byClass[Math.floor(info.responseCode / 100) - 1]?.add(1);
  }
}
