import type { RequestEncoder, ResetReason, ResponseDecoder } from "../../http/codec.ts";
import type { HeaderMap } from "../../http/header-map.ts";
import type { ConnectionInfo } from "../../transport/transport.ts";
import type { Cancellable, HttpPoolCallbacks, PoolFailure } from "../cluster.ts";
import type { UpstreamHost } from "../upstream-host.ts";
import type { HttpPool } from "./http-pool.ts";

/** Who counts the requests in flight. */
export interface ActiveStreams {
  streamOpened(host: UpstreamHost): void;
  streamClosed(host: UpstreamHost): void;
}

/** Asks a pool for a stream and counts it from the moment it has a connection until it ends, whichever way. */
export function trackRequest(
  active: ActiveStreams,
  host: UpstreamHost,
  pool: HttpPool,
  decoder: ResponseDecoder,
  callbacks: HttpPoolCallbacks,
): Cancellable | null {
  const stream = new TrackedStream(active, host, decoder, callbacks);
  return pool.newStream(stream, stream);
}

/** Stands between router and codec in both directions: one object a request, no closure. */
class TrackedStream implements ResponseDecoder, RequestEncoder, HttpPoolCallbacks {
  readonly #active: ActiveStreams;
  readonly #host: UpstreamHost;
  readonly #decoder: ResponseDecoder;
  readonly #callbacks: HttpPoolCallbacks;
  #encoder: RequestEncoder | null = null;
  #open = false;

  constructor(active: ActiveStreams, host: UpstreamHost, decoder: ResponseDecoder, callbacks: HttpPoolCallbacks) {
    this.#active = active;
    this.#host = host;
    this.#decoder = decoder;
    this.#callbacks = callbacks;
  }

  onReady(encoder: RequestEncoder): void {
    this.#encoder = encoder;
    this.#open = true;
    this.#active.streamOpened(this.#host);
    this.#callbacks.onReady(this, this.#host);
  }

  onFailure(reason: PoolFailure, host: UpstreamHost | null, details: string): void {
    this.#callbacks.onFailure(reason, host, details);
  }

  onInformational(headers: HeaderMap): void {
    this.#decoder.onInformational(headers);
  }

  onHeaders(headers: HeaderMap, endStream: boolean): void {
    if (endStream) this.#close();
    this.#decoder.onHeaders(headers, endStream);
  }

  onData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    if (endStream) this.#close();
    this.#decoder.onData(buffer, start, end, endStream);
  }

  onTrailers(trailers: HeaderMap): void {
    this.#close();
    this.#decoder.onTrailers(trailers);
  }

  onReset(reason: ResetReason): void {
    this.#close();
    this.#decoder.onReset(reason);
  }

  onDrain(): void {
    this.#decoder.onDrain();
  }

  reset(reason: ResetReason): void {
    this.#close();
    this.#encoder?.reset(reason);
  }

  get connection(): ConnectionInfo {
    return this.#live.connection;
  }
  get protocol(): string {
    return this.#live.protocol;
  }
  get congested(): boolean {
    return this.#live.congested;
  }
  get wireBytesReceived(): number {
    return this.#live.wireBytesReceived;
  }
  get wireBytesSent(): number {
    return this.#live.wireBytesSent;
  }

  sendHeaders(headers: HeaderMap, endStream: boolean): void {
    this.#live.sendHeaders(headers, endStream);
  }
  sendData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    this.#live.sendData(buffer, start, end, endStream);
  }
  sendTrailers(trailers: HeaderMap): void {
    this.#live.sendTrailers(trailers);
  }
  pauseReading(): void {
    this.#live.pauseReading();
  }
  resumeReading(): void {
    this.#live.resumeReading();
  }

  get #live(): RequestEncoder {
    if (this.#encoder === null) throw new Error("An upstream stream was used before its pool handed it out.");
    return this.#encoder;
  }

  #close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#active.streamClosed(this.#host);
  }
}
