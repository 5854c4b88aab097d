import type { Clock } from "@mixerless/clock";
import type { AccessLogger } from "../access-log/access-logger.ts";
import { FilterState } from "../stream/filter-state.ts";
import { ResponseFlag } from "../stream/response-flags.ts";
import { type ListenerFacts, StreamInfo } from "../stream/stream-info.ts";
import type { IncomingConnection } from "../transport/incoming-connection.ts";
import type { ConnectionInfo, SocketAddress } from "../transport/transport.ts";

/** Envoy's word for a connection that no filter chain of its listener fits. */
const FILTER_CHAIN_NOT_FOUND = "filter_chain_not_found";

/**
 * One connection on its way to the log of its listener: one line when it ends, whatever became of it. A
 * connection keeps the loggers that it came under, as it keeps its filter chain.
 */
export class ConnectionRecord {
  readonly #loggers: readonly AccessLogger[];
  readonly #clock: Clock;
  readonly #startTime: number;
  readonly #started: number;
  readonly #localAddress: SocketAddress;
  readonly #remoteAddress: SocketAddress;
  #serverName: string | null = null;
  #info: StreamInfo | null = null;

  constructor(incoming: IncomingConnection, loggers: readonly AccessLogger[], clock: Clock) {
    this.#loggers = loggers;
    this.#clock = clock;
    this.#startTime = clock.now();
    this.#started = clock.monotonic();
    // A socket that is gone does not know them any more.
    this.#localAddress = incoming.localAddress;
    this.#remoteAddress = incoming.remoteAddress;
  }

  /** What the client's first bytes asked for. */
  inspected(serverName: string | null): void {
    this.#serverName = serverName;
  }

  /** The connection is usable: what it is goes into the record that its filters add to. */
  established(facts: ListenerFacts, connection: ConnectionInfo, connectionState: FilterState): StreamInfo {
    this.#info = new StreamInfo(facts, connection, this.#startTime, this.#started, connectionState);
    return this.#info;
  }

  /** No filter chain fits. */
  unmatched(facts: ListenerFacts): void {
    const info = this.#unusable(facts);
    info.setFlag(ResponseFlag.NoRouteFound);
    info.responseCodeDetails = FILTER_CHAIN_NOT_FOUND;
    this.#log(info);
  }

  /** It ended before it was usable; `reason` null: before a filter chain was looked for. */
  failed(facts: ListenerFacts, reason: string | null): void {
    const info = this.#unusable(facts);
    info.downstreamTransportFailure = reason;
    this.#log(info);
  }

  /** An established connection is gone. */
  ended(): void {
    if (this.#info !== null) this.#log(this.#info);
  }

  #unusable(facts: ListenerFacts): StreamInfo {
    const connection = {
      id: 0,
      localAddress: this.#localAddress,
      remoteAddress: this.#remoteAddress,
      tls: null,
      requestedServerName: this.#serverName,
    };
    return new StreamInfo(facts, connection, this.#startTime, this.#started, new FilterState());
  }

  #log(info: StreamInfo): void {
    info.ended ??= this.#clock.monotonic();
    info.loggedByListener = true;
    for (const logger of this.#loggers) logger.log(info);
    info.loggedByListener = false;
  }
}
