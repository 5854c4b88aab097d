import type { Counter, MetricStore } from "@mixerless/metrics";
import type { PeerFrameReader, PeerFrames } from "../../extension-host/extension.ts";
import type { FilterState } from "../../stream/filter-state.ts";
import type { Transport } from "../../transport/transport.ts";

/** By this protocol two proxies agree that each begins with its frame [telemetry §2.4]. */
const PEER_EXCHANGE = "istio-peer-exchange";

/**
 * Filter state that ends the waiting for a peer's metadata: once nobody will bring any, reports before the end need
 * not wait for them [telemetry §1.2].
 */
const PEER_NOT_FOUND = "peer_not_found";

const FRAME_WAITING = 0;
const FRAME_FOUND = 1;
const FRAME_ABSENT = 2;

/** Counters of the exchange, by Istio's names. */
export class ExchangeStats {
  readonly found: Counter;
  readonly notFound: Counter;
  readonly noFrame: Counter;
  readonly unreadable: Counter;
  readonly added: Counter;

  constructor(metrics: MetricStore) {
    const counter = (name: string) =>
      metrics.counter({ name: `envoy_metadata_exchange_${name}`, evictable: false }).series([], []);
    this.found = counter("alpn_protocol_found");
    this.notFound = counter("alpn_protocol_not_found");
    this.noFrame = counter("initial_header_not_found");
    this.unreadable = counter("header_not_found");
    this.added = counter("metadata_added");
  }
}

/** The exchange as one filter chain is configured with it. */
export interface ChainExchange {
  readonly frames: PeerFrames;
  readonly stats: ExchangeStats;
}

/** Which of the two sides of a connection the peer is on, as filter state calls it. */
export type PeerSide = "downstream" | "upstream";

/** The exchange with one peer: our frame goes out, the peer's is taken off the front of what comes in. */
export class PeerExchange {
  readonly #chain: ChainExchange;
  readonly #side: PeerSide;
  readonly #state: FilterState;
  readonly #principal: string;
  readonly #reader: PeerFrameReader;
  #told = false;
  #settled = false;

  private constructor(chain: ChainExchange, side: PeerSide, state: FilterState, principal: string) {
    this.#chain = chain;
    this.#side = side;
    this.#state = state;
    this.#principal = principal;
    this.#reader = chain.frames.createReader();
  }

  /** Null, with the peer counted as not found, where the connection has not agreed on the exchange. */
  static begin(
    chain: ChainExchange | null,
    side: PeerSide,
    { connection }: Transport,
    state: FilterState,
  ): PeerExchange | null {
    const agreed = connection.tls?.alpn === PEER_EXCHANGE;
    // In clear there was nothing to agree on.
    if (chain !== null && connection.tls !== null) (agreed ? chain.stats.found : chain.stats.notFound).add(1);
    if (chain !== null && agreed) return new PeerExchange(chain, side, state, connection.tls?.uriSanPeer[0] ?? "");
    state.set(PEER_NOT_FOUND, "1");
    return null;
  }

  /** Sends our frame, once, before anything of the application. */
  tell(transport: Transport): void {
    if (this.#told) return;
    this.#told = true;
    transport.appendLatin1(this.#chain.frames.own);
    this.#chain.stats.added.add(1);
  }

  /** Takes what came in and gives the application's part of it. */
  read(buffer: Buffer, start: number, end: number): Buffer {
    return this.#after(this.#reader.read(buffer.toString("latin1", start, end)));
  }

  /** The peer sends no more: gives what was held while its frame was awaited. */
  finish(): Buffer {
    return this.#after(this.#reader.finish());
  }

  /** Whether every byte from now on is the application's. */
  get over(): boolean {
    return this.#reader.complete;
  }

  #after(rest: string): Buffer {
    const { state } = this.#reader;
    if (state !== FRAME_WAITING) this.#settle(state);
    return Buffer.from(rest, "latin1");
  }

  #settle(state: number): void {
    if (this.#settled) return;
    this.#settled = true;
    const { metadata, id } = this.#reader;
    const { frames, stats } = this.#chain;
    if (state === FRAME_FOUND && frames.believes(metadata, this.#principal)) {
      this.#state.set(`${this.#side}_peer`, metadata);
      if (id !== "") this.#state.set(`${this.#side}_peer_id`, id);
      return;
    }
    if (state !== FRAME_FOUND) (state === FRAME_ABSENT ? stats.noFrame : stats.unreadable).add(1);
    this.#state.set(PEER_NOT_FOUND, "1");
  }
}
