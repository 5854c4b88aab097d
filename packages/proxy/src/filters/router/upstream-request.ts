import type { RequestEncoder, ResetReason, ResponseDecoder } from "../../http/codec.ts";
import type { HeaderMap } from "../../http/header-map.ts";
import type { StreamInfo } from "../../stream/stream-info.ts";
import type {
  Cancellable,
  Cluster,
  HttpPoolCallbacks,
  LoadBalancerContext,
  PoolFailure,
} from "../../upstream/cluster.ts";
import type { Host } from "../../upstream/host.ts";

/** What an attempt tells the router. `attempt` lets it ignore those it has given up. */
export interface UpstreamRequestOwner {
  onAttemptReady(attempt: UpstreamRequest): void;
  onAttemptFailed(attempt: UpstreamRequest, reason: PoolFailure, details: string): void;
  onUpstreamInformational(headers: HeaderMap): void;
  onUpstreamHeaders(attempt: UpstreamRequest, headers: HeaderMap, endStream: boolean): void;
  onUpstreamData(buffer: Buffer, start: number, end: number, endStream: boolean): void;
  onUpstreamTrailers(trailers: HeaderMap): void;
  onUpstreamReset(attempt: UpstreamRequest, reason: ResetReason): void;
  onUpstreamDrain(): void;
}

/** One attempt of a request at one host. */
export class UpstreamRequest implements ResponseDecoder, HttpPoolCallbacks {
  readonly #owner: UpstreamRequestOwner;
  #pending: Cancellable | null = null;
  /** Nothing is told to the router any more. */
  #over = false;
  /** The encoder may not be used any more. */
  #dead = false;
  encoder: RequestEncoder | null = null;
  host: Host | null = null;
  /** The request has begun to leave, and has left wholly. */
  requestSent = false;
  requestComplete = false;
  responseComplete = false;

  constructor(owner: UpstreamRequestOwner) {
    this.#owner = owner;
  }

  start(cluster: Cluster, context: LoadBalancerContext): void {
    this.#pending = cluster.newStream(context, this, this);
  }

  onReady(encoder: RequestEncoder, host: Host): void {
    this.#pending = null;
    this.encoder = encoder;
    this.host = host;
    this.#owner.onAttemptReady(this);
  }

  onFailure(reason: PoolFailure, host: Host | null, details: string): void {
    this.#pending = null;
    this.#over = true;
    this.host = host;
    this.#owner.onAttemptFailed(this, reason, details);
  }

  onInformational(headers: HeaderMap): void {
    if (!this.#over) this.#owner.onUpstreamInformational(headers);
  }

  onHeaders(headers: HeaderMap, endStream: boolean): void {
    if (this.#over) return;
    if (endStream) this.#complete();
    this.#owner.onUpstreamHeaders(this, headers, endStream);
  }

  onData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    if (this.#over) return;
    if (endStream) this.#complete();
    this.#owner.onUpstreamData(buffer, start, end, endStream);
  }

  onTrailers(trailers: HeaderMap): void {
    if (this.#over) return;
    this.#complete();
    this.#owner.onUpstreamTrailers(trailers);
  }

  onReset(reason: ResetReason): void {
    this.#dead = true;
    if (this.#over) return;
    this.#over = true;
    this.#owner.onUpstreamReset(this, reason);
  }

  onDrain(): void {
    if (!this.#over) this.#owner.onUpstreamDrain();
  }

  /** Gives the attempt up; nothing is heard of it any more. A finished one needs nothing. */
  abort(): void {
    this.#over = true;
    this.#pending?.cancel();
    this.#pending = null;
    if (this.#dead || (this.responseComplete && this.requestComplete)) return;
    this.#dead = true;
    this.encoder?.reset("local");
  }

  recordBytes(info: StreamInfo): void {
    info.upstreamWireBytesReceived = this.encoder?.wireBytesReceived ?? 0;
    info.upstreamWireBytesSent = this.encoder?.wireBytesSent ?? 0;
  }

  #complete(): void {
    this.responseComplete = true;
    this.#over = true;
  }
}
